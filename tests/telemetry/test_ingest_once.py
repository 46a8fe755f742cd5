"""However often, in whatever order and through whichever door a line comes in, it counts once."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from services_registry.models import Function, FunctionDay, FunctionHour, InvocationReport, RejectedLine
from services_registry.telemetry.histogram import decode
from services_registry.telemetry.ingest import Counts, OwnTail, ingest_stream, ingest_tails
from services_registry.telemetry.rollups import SUMS
from tests.telemetry.conftest import report_line, request_id, timeout_line

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=3)


def event(function: str, message: str, at: datetime = NOON) -> str:
    stamp = int(at.timestamp() * 1000)
    return json.dumps({"logGroup": f"/aws/lambda/{function}", "timestamp": stamp, "message": message}) + "\n"


def take(lines: list[str], **given: str) -> Counts:
    return ingest_stream(io.StringIO("".join(lines)), **given)


def sums() -> list[dict[str, Any]]:
    """All hours and days as they stand, to the bit."""
    found: list[dict[str, Any]] = []
    for model, moment in ((FunctionHour, "hour"), (FunctionDay, "day")):
        for row in model.objects.order_by("function_id", moment):
            numbers = {name: getattr(row, name) for name in SUMS}
            key = {"function": row.function_id, "at": getattr(row, moment), "memory": row.max_memory_mb}
            found.append(key | numbers | {"histogram": decode(row.histogram)})
    return found


def test_the_same_lines_three_times_shuffled_through_two_doors_count_once(
    make_function: Callable[[str], Function],
) -> None:
    dice = random.Random(3)
    for name in ("reads", "writes"):
        make_function(name)
    reports = [report_line(request_id(n), ms=n + 0.5, billed=n + 1) for n in range(60)]
    lines = [
        event(dice.choice(["reads", "writes"]), report, NOON + timedelta(minutes=7 * n))
        for n, report in enumerate(reports)
    ]
    first = take(lines, door="pull", source="a")
    assert (first.reports, first.new, first.known) == (60, 60, 0)
    before = sums()
    assert sum(row["invocations"] for row in before) == 2 * 60  # once by hour, once by day
    assert sum(row["billed_ms"] for row in before) == 2 * sum(range(1, 61))
    for door in ("pull", "firehose", "file"):
        dice.shuffle(lines)
        again = take(lines + lines[:20], door=door, source="b")
        assert again.new == 0
    assert sums() == before
    assert InvocationReport.objects.count() == 60


def test_our_own_call_seen_again_in_the_log_counts_once(make_function: Callable[[str], Function]) -> None:
    make_function("ours")
    line = report_line(request_id(1), ms=12.34, billed=13)
    tail = ingest_tails([OwnTail("ours", settings.AWS_REGION, request_id(1), line)])
    assert tail.new == 1
    before = sums()
    counts = take([event("ours", line, datetime.now(UTC) + timedelta(hours=3))], door="pull")
    assert (counts.new, counts.known) == (0, 1)
    assert sums() == before


def test_a_retry_of_lambda_with_the_same_id_and_other_figures_counts_as_its_own(
    make_function: Callable[[str], Function],
) -> None:
    make_function("retried")
    lines = [event("retried", report_line(request_id(1), ms=ms, billed=100)) for ms in (90.0, 91.0)]
    assert take(lines).new == 2


def test_a_timeout_line_beside_a_report_without_status_makes_a_timeout(
    make_function: Callable[[str], Function],
) -> None:
    make_function("slow")
    report = event("slow", report_line(request_id(1), ms=3000, billed=3000))
    stopped = event("slow", timeout_line(request_id(1), NOON))
    fine = event("slow", report_line(request_id(2)))
    take([stopped, report, fine])
    statuses = dict(InvocationReport.objects.values_list("request_id", "status"))
    assert statuses == {request_id(1): "timeout", request_id(2): "success"}
    hour = FunctionHour.objects.get()
    assert (hour.invocations, hour.errors, hour.timeouts) == (2, 1, 1)


def test_late_lines_land_in_the_hour_they_belong_to(make_function: Callable[[str], Function]) -> None:
    late = make_function("late")
    take([event("late", report_line(request_id(1)), NOON + timedelta(hours=5))])
    take([event("late", report_line(request_id(2)), NOON - timedelta(minutes=1))])
    take([event("late", report_line(request_id(3)), NOON - timedelta(days=40))])
    hours = dict(FunctionHour.objects.filter(function=late).values_list("hour", "invocations"))
    assert hours == {
        NOON + timedelta(hours=5): 1, NOON - timedelta(hours=1): 1, NOON - timedelta(days=40): 1,
    }  # fmt: skip
    days = dict(FunctionDay.objects.filter(function=late).values_list("day", "invocations"))
    assert days == {NOON.date(): 2, (NOON - timedelta(days=40)).date(): 1}


def test_lines_that_name_no_known_function_are_kept_as_unattributed(make_function: Callable[[str], Function]) -> None:
    make_function("known")
    nameless = json.dumps({"message": report_line(request_id(1))}) + "\n"
    counts = take([report_line(request_id(2)) + "\n", nameless, event("unheard-of", report_line(request_id(3)))])
    assert counts.new == 3
    assert set(InvocationReport.objects.values_list("function__name", flat=True)) == {"unattributed-logs"}


def test_a_truncated_report_is_incomplete_and_kept_for_inspection(make_function: Callable[[str], Function]) -> None:
    make_function("cut")
    whole = report_line(request_id(1))
    cut = whole[: whole.index("Billed")]
    counts = take([event("cut", cut), event("cut", report_line(request_id(2)))], source="cut.log")
    assert (counts.reports, counts.new, counts.incomplete) == (2, 1, 1)
    kept = RejectedLine.objects.get()
    assert (kept.source, kept.event) == ("cut.log", 0)
    assert request_id(1) in kept.line and kept.reason
    take([event("cut", cut)], source="cut.log")
    assert RejectedLine.objects.count() == 1
