"""Questions about functions and what they did, over a time range."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from core.like import contains
from core.timerange import TimeRange
from services_registry import pricing
from services_registry.choices import Origin
from services_registry.courses import Course, Point, hour_of
from services_registry.function_facts import SHARES, days_of, usage_of
from services_registry.models import Function, FunctionDay, FunctionHour
from services_registry.models.telemetry import RollupFields
from services_registry.telemetry.histogram import merge, percentile


def search_functions(functions: QuerySet[Function], text: str) -> QuerySet[Function]:
    """Functions whose name, description, owner or capability contain the text (ILIKE, so the trigram index serves)."""
    if not text:
        return functions
    return functions.extra(  # noqa: S610  # ILIKE is not an ORM lookup: `icontains` is UPPER() and misses the index
        where=["(name ILIKE %s OR description ILIKE %s OR owner ILIKE %s OR capability ILIKE %s)"],
        params=[contains(text)] * 4,
    )


def course_of(function: Function, period: TimeRange, *, hourly: bool | None = None) -> Course:
    """What a function did, by hour for short ranges and by day for long ones, or where there are no hours.

    Args:
        hourly: takes these steps and no others, for comparing with a course that has them.
    """
    if hourly is None and period.hourly or hourly:
        hours = FunctionHour.objects.filter(function=function, hour__gte=hour_of(period.start), hour__lt=period.end)
        rows = [(row.hour, row) for row in hours.order_by("hour")]
        if rows or hourly:
            return Course.of(period, _points(function, rows), hourly=True)
    days = FunctionDay.objects.filter(days_of(period), function=function)
    found = _points(function, [(row.day, row) for row in days.order_by("day")])
    return Course.of(period, found, hourly=period.hourly and not found)


def _points(function: Function, rows: Sequence[tuple[datetime | date, RollupFields]]) -> list[Point]:
    grouped: defaultdict[datetime | date, list[RollupFields]] = defaultdict(list)
    for at, row in rows:
        grouped[at].append(row)
    usages = [
        usage_of(
            function,
            at.date() if isinstance(at, datetime) else at,
            _sum(group, "invocations"),
            _sum(group, "billed_ms"),
            _sum(group, "billed_mb_ms"),
        )
        for at, group in grouped.items()
    ]
    costs = pricing.estimate(usages)
    points = []
    for (at, group), cost in zip(grouped.items(), costs, strict=True):
        merged = merge(row.histogram for row in group)
        points.append(
            Point(
                at=at,
                invocations=_sum(group, "invocations"),
                errors=_sum(group, "errors"),
                timeouts=_sum(group, "timeouts"),
                cold_starts=_sum(group, "cold_starts"),
                init_ms=_sum(group, "init_ms"),
                billed_ms=_sum(group, "billed_ms"),
                max_memory_mb=max(row.max_memory_mb for row in group),
                cost=cost,
                sample=any(getattr(row, "origin", "") == Origin.SAMPLE for row in group),
                percentiles={name: percentile(merged, share) for name, share in SHARES},
            )
        )
    return points


def _sum(rows: Sequence[RollupFields], name: str) -> Any:
    return sum(getattr(row, name) for row in rows)
