"""A hundred thousand lines, three times over, shuffled, by two doors; once the process is killed in the middle, once the
database fails."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Sum
from django.test import Client

from services_registry.models import (
    DoorHour,
    FirehoseKey,
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
from tests.running_platform import until
from tests.telemetry.conftest import report_line, request_id

ROOT = Path(__file__).resolve().parents[2]
LINES, FUNCTIONS, FAILS_AT = 100_000, 40, 60_000
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


def delivered(lines: list[str], key: str) -> None:
    """As Amazon Data Firehose sends them: requests of many records, each a packed envelope of one log group."""
    groups: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        event = json.loads(line)
        groups[event.pop("logGroup")].append(event)
    records = [
        gzip.compress(json.dumps({
            "messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": group, "logStream": "s",
            "logEvents": events[start : start + 500],
        }).encode(), compresslevel=1)
        for group, events in groups.items() for start in range(0, len(events), 500)
    ]  # fmt: skip
    for start in range(0, len(records), 25):
        packed = [{"data": base64.b64encode(record).decode()} for record in records[start : start + 25]]
        answer = Client().post(
            "/functions/telemetry/firehose/", {"requestId": str(start), "timestamp": 1, "records": packed},
            content_type="application/json", headers={"X-Amz-Firehose-Access-Key": key},
        )  # fmt: skip
        assert answer.status_code == 200, answer.content


def killed_in_the_middle(file: Path) -> int:
    """`manage.py ingest_reports` in a process of its own, killed once a part is stored; how much was stored."""
    place = connection.settings_dict
    address = f"postgresql:///{place['NAME']}?host={place['HOST']}&user={place['USER']}"
    if place["PORT"]:
        address = f"postgresql://{place['USER']}:{place['PASSWORD']}@{place['HOST']}:{place['PORT']}/{place['NAME']}"
    run = subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, str(ROOT / "manage.py"), "ingest_reports", str(file)],
        env=os.environ | {"DATABASE_URL": address}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: run.poll() is not None or InvocationReport.objects.count() >= 20_000, 60, pause=0.02)
    assert run.poll() is None, "it ended before it could be killed"
    run.send_signal(signal.SIGKILL)
    run.wait(10)
    until(lambda: not _others_at_work(), 10)  # the server notices within a moment
    return consistent()


def consistent() -> int:
    """How many reports are stored; every sum and the keys know of exactly these."""
    stored = InvocationReport.objects.count()
    assert {row["invocations"] for row in sums()} == {stored} == {ReportKey.objects.count()}
    return stored


def _others_at_work() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND xact_start IS NOT NULL"
        )
        return bool(cursor.fetchone()[0])


def fails_in_the_middle(lines: list[str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(BREAKS)
    with pytest.raises(DatabaseError, match="disk full"):
        ingest_stream(io.StringIO("".join(lines)), door="file")
    with connection.cursor() as cursor:
        cursor.execute(MENDED)
    return consistent()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_sums_do_not_move_whatever_is_sent_again_and_wherever_it_breaks_off(tmp_path: Path) -> None:
    arn = f"arn:aws:lambda:{settings.AWS_REGION}:123456789012:function:volume-"
    Function.objects.bulk_create(
        Function(
            name=f"volume-{n}", arn=f"{arn}{n}", account="123456789012", region=settings.AWS_REGION, memory_mb=512,
            timeout_s=3,
        )
        for n in range(FUNCTIONS)
    )  # fmt: skip
    key = FirehoseKey(name="all functions")
    shown = key.new_key()
    key.save()
    lines, dice = written_lines(), random.Random(5)
    file = tmp_path / "all.log"
    dice.shuffle(lines)
    file.write_text("".join(lines), encoding="utf-8")

    for stored in (killed_in_the_middle(file), fails_in_the_middle(lines)):
        assert 0 < stored < LINES

    first = ingest_stream(io.StringIO("".join(lines)), door="file")
    assert (first.new, first.known) == (LINES - stored, stored)
    before = sums()
    assert {row["invocations"] for row in before} == {row["in_histograms"] for row in before} == {LINES}
    assert {row["billed_ms"] for row in before} == {sum(n % 977 + 1 for n in range(LINES))}
    dice.shuffle(lines)
    delivered(lines, shown)
    dice.shuffle(lines)
    again = ingest_stream(io.StringIO("".join(lines)), door="file")
    assert (again.new, again.known) == (0, LINES)
    assert sums() == before
    doors = dict(DoorHour.objects.values_list("door").annotate(Sum("new")))
    assert doors == {"file": LINES, "firehose": 0}
    assert DoorHour.objects.filter(door="firehose").aggregate(known=Sum("known"))["known"] == LINES
