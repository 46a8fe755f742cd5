"""CloudWatch's numbers on the pages of functions: throttles, which no log line tells, and a stand-in where no line comes in.

Where reports came in, invocations and errors are theirs; CloudWatch's are shown only where there are none, and say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from core import charts
from core.timerange import TimeRange
from services_registry.models import Function, MetricDay, MetricHour, MetricMinute

if TYPE_CHECKING:
    from services_registry.function_facts import FunctionFacts

_COUNTS = ("invocations", "errors", "throttles")


def metric_steps(period: TimeRange, *, hourly: bool) -> tuple[QuerySet[Any], str]:
    """Metrics of a range and the name of their time: hours that begin in it, or the UTC days it touches."""
    if hourly:
        start = period.start.replace(minute=0, second=0, microsecond=0)
        return MetricHour.objects.filter(hour__gte=start, hour__lt=period.end), "hour"
    first, last = period.start.astimezone(UTC).date(), (period.end - timedelta(microseconds=1)).astimezone(UTC).date()
    return MetricDay.objects.filter(day__gte=first, day__lte=last), "day"


def add_metrics(facts: Iterable[FunctionFacts], period: TimeRange, *, hourly: bool) -> dict[int, dict[Any, int]]:
    """Fill in throttles, and invocations and errors where no line came in.

    Returns the invocations by step of the functions whose numbers are CloudWatch's now.
    """
    by_id = {entry.function.pk: entry for entry in facts}
    rows, at = metric_steps(period, hourly=hourly)
    silent = []
    sums = rows.filter(function__in=by_id).order_by().values("function_id").annotate(**{n: Sum(n) for n in _COUNTS})
    for row in sums:
        entry = by_id[row["function_id"]]
        entry.throttles = row["throttles"]
        if entry.invocations is None and row["invocations"] + row["throttles"]:
            entry.invocations, entry.errors, entry.from_metrics = row["invocations"], row["errors"], True
            silent.append(row["function_id"])
    steps: dict[int, dict[Any, int]] = {pk: {} for pk in silent}
    if silent:
        for pk, step, count in rows.filter(function__in=silent).values_list("function_id", at, "invocations"):
            steps[pk][step] = count
    return steps


def metric_charts(function: Function, period: TimeRange) -> list[tuple[str, str, charts.Figure]]:
    """(name, question, figure) of what CloudWatch counted of one function; none without a point."""
    rows, at = metric_steps(period, hourly=period.hourly)
    points = list(rows.filter(function=function).order_by(at).values(at, *_COUNTS, "concurrency"))
    if not points:
        return []
    x = [point[at].isoformat() for point in points]
    good = [point["invocations"] - point["errors"] for point in points]
    counts = {
        "succeeded": good,
        "errors": [point["errors"] for point in points],
        "throttles": [point["throttles"] for point in points],
    }
    most = {"at once": [point["concurrency"] for point in points]}
    return [
        ("metric-calls", _("What did CloudWatch count, refused calls included?"), charts.bars(x, counts)),
        ("metric-concurrency", _("How many ran at once, at most?"), charts.lines(x, most)),
    ]


def last_minutes(functions: Iterable[int], now: datetime) -> dict[int, list[dict[str, Any]]]:
    """What came in by the minute during the last hour, by function, oldest first."""
    found: dict[int, list[dict[str, Any]]] = {}
    rows = MetricMinute.objects.filter(function__in=list(functions), minute__gte=now - timedelta(hours=1))
    for row in rows.order_by("minute").values("function_id", "minute", *_COUNTS, "concurrency"):
        found.setdefault(row["function_id"], []).append(row)
    return found
