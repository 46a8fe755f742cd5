"""Late lines, the days that reports are kept, and what is forgotten when."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from services_registry.models import (
    FleetDay,
    Function,
    FunctionDay,
    FunctionHour,
    InvocationReport,
    RejectedLine,
    ReportKey,
)
from services_registry.samples.fleet import sample_fleet
from services_registry.samples.history import write_history
from services_registry.tasks import clean_reports
from services_registry.telemetry import partitions
from services_registry.telemetry.ingest import CLOSED, Counts, ingest_stream
from tests.telemetry.conftest import report_line, request_id

NOW = datetime.now(UTC)


def take(number: int, at: datetime | None, door: str = "pull") -> Counts:
    event: dict[str, Any] = {"logGroup": "/aws/lambda/late", "message": report_line(request_id(number))}
    if at is not None:
        event["timestamp"] = int(at.timestamp() * 1000)
    return ingest_stream(io.StringIO(json.dumps(event) + "\n"), door=door)


def partition_of(number: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM services_registry_invocationreport WHERE request_id = %s",
            [request_id(number)],
        )
        return str(cursor.fetchone()[0]).removeprefix("services_registry_invocationreport_")


def age(model: Any, days: int) -> None:
    """As if the rows had come in so many days earlier."""
    for row in model.objects.all():
        for name in ("received", "since"):
            if getattr(row, name, None) is not None:
                model.objects.filter(pk=row.pk).update(**{name: getattr(row, name) - timedelta(days=days)})


@pytest.fixture(autouse=True)
def late(make_function: Callable[[str], Function]) -> Function:
    partitions._there.clear()
    return make_function("late")


def test_a_line_late_by_minutes_a_day_or_a_month_lands_in_its_hour_once() -> None:
    moments = [NOW - timedelta(minutes=15), NOW - timedelta(days=1), NOW - timedelta(days=31)]
    for door in ("pull", "firehose"):
        for number, at in enumerate(moments):
            take(number, at, door)
    expected = {at.replace(minute=0, second=0, microsecond=0): 1 for at in moments}
    assert dict(FunctionHour.objects.values_list("hour", "invocations")) == expected
    assert sum(FleetDay.objects.values_list("invocations", flat=True)) == 3
    assert partition_of(1) == f"p{moments[1]:%Y%m%d}"
    assert partition_of(2) == "other"  # its day is past those that are kept


def test_a_day_past_its_time_goes_with_its_reports_and_leaves_its_sums(settings: Any) -> None:
    take(1, NOW - timedelta(days=9))
    take(2, NOW - timedelta(days=2))
    take(3, NOW - timedelta(days=400))
    settings.REPORT_DAYS = 5
    clean_reports()
    kept = set(InvocationReport.objects.values_list("request_id", flat=True))
    assert kept == {request_id(2), request_id(3)}  # the third came in today
    age(InvocationReport, 6)
    clean_reports()
    assert set(InvocationReport.objects.values_list("request_id", flat=True)) == {request_id(2)}
    assert sum(FunctionDay.objects.values_list("invocations", flat=True)) == 3
    assert (take(1, NOW - timedelta(days=9)).known, take(3, NOW - timedelta(days=400)).known) == (1, 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"{partitions.TABLE}_p{NOW + timedelta(days=1):%Y%m%d}"])
        assert cursor.fetchone() != (None,)  # tomorrow is ready


def test_rows_that_waited_without_a_partition_move_into_it() -> None:
    later, earlier = NOW - timedelta(days=19), NOW - timedelta(days=20)  # no other test makes these days
    partitions._there.update({later.date(), earlier.date()})  # as in a process that believes they are there
    take(1, later)
    take(2, earlier)
    assert (partition_of(1), partition_of(2)) == ("other", "other")
    clean_reports()
    assert (partition_of(1), partition_of(2)) == (f"p{later:%Y%m%d}", f"p{earlier:%Y%m%d}")


def test_once_keys_may_be_forgotten_their_day_takes_no_late_lines_and_says_so(settings: Any) -> None:
    day = NOW - timedelta(days=100)
    assert take(1, day).new == 1
    assert (take(1, day).known, take(2, day).new) == (1, 1)
    age(ReportKey, settings.REPORT_KEY_DAYS + 1)
    age(FunctionDay, settings.REPORT_KEY_DAYS + 1)
    clean_reports()
    assert not ReportKey.objects.exists()
    counts = take(1, day)
    assert (counts.new, counts.closed, counts.rejected) == (0, 1, 1)
    assert RejectedLine.objects.get().reason == CLOSED
    assert request_id(1) in RejectedLine.objects.get().line
    assert take(3, day - timedelta(days=7)).new == 1  # nothing was counted on that day yet
    assert sum(FunctionDay.objects.values_list("invocations", flat=True)) == 3


def test_a_line_without_a_time_is_known_for_ever(settings: Any) -> None:
    assert take(1, None, "file").new == 1
    age(ReportKey, settings.REPORT_KEY_DAYS + 500)
    clean_reports()
    assert take(1, None, "file").known == 1


def test_a_time_in_the_future_is_refused() -> None:
    counts = take(1, NOW + timedelta(days=3))
    assert (counts.new, counts.incomplete, counts.rejected) == (0, 1, 1)
    assert "more than a day from now" in RejectedLine.objects.get().reason


def test_days_of_the_fleet_hold_the_sample_history_too(make_function: Callable[[str], Function]) -> None:
    shapes = sample_fleet(0)[:2]
    functions = {shape.name: make_function(shape.name) for shape in shapes}
    write_history({shapes[0].name: functions[shapes[0].name]}, shapes)
    write_history(functions, shapes)
    rows = (
        FunctionDay.objects.filter(origin="sample").values_list("day").annotate(Sum("invocations"), Sum("billed_mb_ms"))
    )
    assert list(FleetDay.objects.filter(origin="sample").values_list("day", "invocations", "billed_mb_ms")) == sorted(
        rows
    )
    assert rows
