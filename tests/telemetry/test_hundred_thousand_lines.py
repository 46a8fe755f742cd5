"""A hundred thousand lines, three times over, shuffled, by two doors, with a database that fails in the middle."""

from __future__ import annotations

import io
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Sum

from services_registry.models import (
    DoorHour,
    FleetDay,
    FleetHour,
    FleetUsage,
    Function,
    FunctionDay,
    FunctionHour,
    InvocationReport,
    ReportKey,
)
from services_registry.telemetry.histogram import decode
from services_registry.telemetry.ingest import ingest_stream
from services_registry.telemetry.rollups import SUMS
from tests.telemetry.conftest import report_line, request_id

LINES, FUNCTIONS, FAILS_AT = 100_000, 40, 55_000
BREAKS = f"""
CREATE FUNCTION fleet_day_breaks() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.invocations > {FAILS_AT} THEN RAISE EXCEPTION 'disk full'; END IF; RETURN NEW; END $$;
CREATE TRIGGER breaks BEFORE INSERT OR UPDATE ON services_registry_fleetday
    FOR EACH ROW EXECUTE FUNCTION fleet_day_breaks();
"""
MENDED = "DROP TRIGGER breaks ON services_registry_fleetday; DROP FUNCTION fleet_day_breaks()"


def written_lines() -> list[str]:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).replace(hour=6, minute=0, second=0, microsecond=0)
    start = int(yesterday.timestamp() * 1000)
    return [
        json.dumps({
            "logGroup": f"/aws/lambda/volume-{n % FUNCTIONS}", "timestamp": start + n * 300,
            "message": report_line(request_id(n), ms=n % 977 + 0.25, billed=n % 977 + 1),
        }) + "\n"
        for n in range(LINES)
    ]  # fmt: skip


def sums() -> list[dict[str, Any]]:
    """Each kind of rollup added up, and every histogram merged."""
    found = []
    for model in (FunctionHour, FunctionDay, FleetDay, FleetHour, FleetUsage):
        total = model.objects.aggregate(**{name: Sum(name) for name in SUMS})
        counted = sum(sum(decode(data).values()) for data in model.objects.values_list("histogram", flat=True))
        found.append(total | {"in_histograms": counted, "rows": model.objects.count()})
    return found


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_sums_do_not_move_whatever_is_sent_again_and_wherever_it_breaks_off() -> None:
    arn = f"arn:aws:lambda:{settings.AWS_REGION}:123456789012:function:volume-"
    Function.objects.bulk_create(
        Function(
            name=f"volume-{n}", arn=f"{arn}{n}", account="123456789012", region=settings.AWS_REGION, memory_mb=512,
            timeout_s=3,
        )
        for n in range(FUNCTIONS)
    )  # fmt: skip
    lines, dice = written_lines(), random.Random(5)  # noqa: S311  # an order, no secret
    dice.shuffle(lines)
    with connection.cursor() as cursor:
        cursor.execute(BREAKS)
    with pytest.raises(DatabaseError, match="disk full"):
        ingest_stream(io.StringIO("".join(lines)), door="file")
    with connection.cursor() as cursor:
        cursor.execute(MENDED)
    stored = InvocationReport.objects.count()
    assert 0 < stored <= FAILS_AT
    assert {row["invocations"] for row in sums()} == {stored} == {ReportKey.objects.count()}

    first = ingest_stream(io.StringIO("".join(lines)), door="file")
    assert (first.new, first.known) == (LINES - stored, stored)
    before = sums()
    assert {row["invocations"] for row in before} == {row["in_histograms"] for row in before} == {LINES}
    assert {row["billed_ms"] for row in before} == {sum(n % 977 + 1 for n in range(LINES))}
    for door in ("pull", "firehose"):
        dice.shuffle(lines)
        again = ingest_stream(io.StringIO("".join(lines)), door=door)
        assert (again.new, again.known) == (0, LINES)
    assert sums() == before
    assert dict(DoorHour.objects.values_list("door").annotate(Sum("new"))) == {"file": LINES, "pull": 0, "firehose": 0}
