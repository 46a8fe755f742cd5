"""The course of all functions together, read from sums of the fleet that every new report is added to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from django.db.models import QuerySet

from core.timerange import TimeRange
from services_registry import pricing
from services_registry.courses import Course, hour_of
from services_registry.function_facts import EXACT, days_of
from services_registry.models import FleetDay, FleetHour, FleetUsage, FunctionDay, FunctionHour
from services_registry.rollup_points import FIELDS, Row, costs_of, named_percentiles, points_of

_PLACE = ("region", "architecture")


@dataclass(frozen=True, slots=True)
class Fleet:
    course: Course
    rows: list[Row]

    def percentiles(self) -> dict[str, float | None]:
        """Of all calls of the range together, in ms."""
        return named_percentiles([row["histogram"] for row in self.rows])

    def total(self, name: str) -> int:
        return sum(getattr(point, name) for point in self.course.points.values())

    @property
    def cost(self) -> Decimal | None:
        known = [point.cost for point in self.course.points.values() if point.cost is not None]
        with localcontext(EXACT):
            return sum(known, Decimal(0)) if known else None

    @property
    def sample(self) -> bool:
        return any(point.sample for point in self.course.points.values())


def fleet_of(period: TimeRange, *, hourly: bool | None = None) -> Fleet:
    """What all functions did, by hour for short ranges and by day for long ones, or where there are no hours.

    Four queries at most, whatever the number of functions.

    Args:
        hourly: takes these steps and no others, for comparing with a course that has them.
    """
    rows: list[Row]
    if hourly is None and period.hourly or hourly:
        hours = FleetHour.objects.filter(hour__gte=hour_of(period.start), hour__lt=period.end).order_by("hour")
        rows = list(hours.values("hour", *_PLACE, *FIELDS))
        if rows or hourly:
            beyond = FunctionHour.objects.filter(hour__gte=hour_of(period.start), hour__lt=period.end)
            costs = costs_of(rows, "hour", _with_tmp(beyond, "hour"))
            return Fleet(Course.of(period, points_of(rows, "hour", costs), hourly=True), rows)
    rows = list(FleetDay.objects.filter(days_of(period)).order_by("day").values("day", *FIELDS))
    usage: list[Row] = list(
        FleetUsage.objects.filter(days_of(period))
        .order_by()
        .values("day", "origin", *_PLACE, "invocations", "billed_mb_ms")
    )
    costs = costs_of(usage, "day", _with_tmp(FunctionDay.objects.filter(days_of(period)), "day"))
    points = points_of(rows, "day", costs)
    return Fleet(Course.of(period, points, hourly=period.hourly and not rows), rows)


def _with_tmp(rollups: QuerySet[Any], at: str) -> Callable[[Row, date], pricing.Usage]:
    """Usage of a row of the fleet, with the /tmp that its functions pay for: few have any, so those are read one by one."""
    paying = rollups.filter(function__ephemeral_mb__gt=pricing.FREE_TMP_MB).order_by()
    tmp: defaultdict[Any, Decimal] = defaultdict(Decimal)
    for moment, region, architecture, origin, mb, billed_ms in paying.values_list(
        at, *(f"function__{name}" for name in _PLACE), "origin", "function__ephemeral_mb", "billed_ms"
    ):
        tmp[moment, region, architecture, origin] += pricing.tmp_mb_ms(mb, billed_ms)

    def usage(row: Row, day: date) -> pricing.Usage:
        place = row["region"], row["architecture"]
        return pricing.Usage(
            *place, day, row["invocations"], row["billed_mb_ms"], tmp.get((row[at], *place, row["origin"]), Decimal(0))
        )

    return usage
