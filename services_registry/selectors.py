"""Questions about functions and what they did, over a time range."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import QuerySet

from core.like import contains
from core.timerange import TimeRange
from services_registry import pricing
from services_registry.courses import At, Course, Metric, Point, hour_of
from services_registry.function_facts import days_of, usage_of
from services_registry.models import Function, FunctionDay, FunctionHour, MetricDay, MetricHour
from services_registry.rollup_points import FIELDS, Row, costs_of, points_of


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
        rows = list(hours.order_by("hour").values("hour", *FIELDS))
        if rows or hourly:
            return Course.of(period, _points(function, rows, "hour"), hourly=True)
    days = FunctionDay.objects.filter(days_of(period), function=function)
    rows = list(days.order_by("day").values("day", *FIELDS))
    return Course.of(period, _points(function, rows, "day"), hourly=period.hourly and not rows)


def metrics_of(function: Function, course: Course) -> dict[At, Metric]:
    """What CloudWatch counted of it, on the steps of its course."""
    period, names = course.period, ("invocations", "throttles", "concurrency")
    rows: QuerySet[Any, Any]
    if course.hourly:
        hours = MetricHour.objects.filter(function=function, hour__gte=hour_of(period.start), hour__lt=period.end)
        rows = hours.order_by().values_list("hour", *names)
    else:
        days = MetricDay.objects.filter(days_of(period), function=function)
        rows = days.order_by().values_list("day", *names)
    return {at: Metric(*numbers) for at, *numbers in rows}


def _points(function: Function, rows: Sequence[Row], at: str) -> list[Point]:
    def usage(row: Row, day: date) -> pricing.Usage:
        return usage_of(function, day, row["invocations"], row["billed_ms"], row["billed_mb_ms"])

    return points_of(rows, at, costs_of(rows, at, usage))
