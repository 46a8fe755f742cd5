"""The course of all functions together, read from sums of the fleet that every new report is added to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from typing import Any

from core.timerange import TimeRange
from services_registry import pricing
from services_registry.choices import Origin
from services_registry.courses import Course, Point, hour_of
from services_registry.function_facts import EXACT, SHARES, days_of
from services_registry.models import FleetDay, FleetHour, FleetUsage
from services_registry.telemetry.histogram import Histogram, merge, percentile

At = datetime | date
COUNTS = ("invocations", "errors", "timeouts", "cold_starts", "init_ms", "billed_ms")
_READ = (*COUNTS, "max_memory_mb", "origin", "histogram")


@dataclass(frozen=True, slots=True)
class Fleet:
    """`percentiles`: of all calls of the range together, in ms."""

    course: Course
    percentiles: dict[str, float | None]

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

    Three queries at most, whatever the number of functions.

    Args:
        hourly: takes these steps and no others, for comparing with a course that has them.
    """
    if hourly is None and period.hourly or hourly:
        found = FleetHour.objects.filter(hour__gte=hour_of(period.start), hour__lt=period.end).order_by("hour")
        rows = [row for row in found.values("hour", "region", "architecture", "billed_mb_ms", *_READ)]
        if rows or hourly:
            return _fleet(period, _grouped(rows, "hour"), _costs(rows, "hour"), hourly=True)
    days = list(FleetDay.objects.filter(days_of(period)).order_by("day").values("day", *_READ))
    usage = FleetUsage.objects.filter(days_of(period)).order_by()
    used = [row for row in usage.values("day", "region", "architecture", "invocations", "billed_mb_ms")]
    return _fleet(period, _grouped(days, "day"), _costs(used, "day"), hourly=period.hourly and not days)


def _grouped(rows: Iterable[dict[str, Any]], at: str) -> dict[At, list[dict[str, Any]]]:
    grouped: defaultdict[At, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row[at]].append(row)
    return grouped


def _costs(rows: Sequence[Mapping[str, Any]], at: str) -> dict[At, Decimal]:
    """Estimated USD of each step; none where no price is known."""
    usages = [
        pricing.Usage(row["region"], row["architecture"], _day(row[at]), row["invocations"], row["billed_mb_ms"])
        for row in rows
    ]
    costs: dict[At, Decimal] = {}
    with localcontext(EXACT):
        for row, cost in zip(rows, pricing.estimate(usages), strict=True):
            if cost is not None:
                costs[row[at]] = costs.get(row[at], Decimal(0)) + cost
    return costs


def _day(at: At) -> date:
    return at.astimezone(UTC).date() if isinstance(at, datetime) else at


def _fleet(
    period: TimeRange, grouped: Mapping[At, list[dict[str, Any]]], costs: Mapping[At, Decimal], *, hourly: bool
) -> Fleet:
    everything: Histogram = Histogram()
    points = []
    for at, rows in grouped.items():
        histogram = merge(row["histogram"] for row in rows)
        everything.update(histogram)
        points.append(Point(
            at=at, **{name: sum(row[name] for row in rows) for name in COUNTS},
            max_memory_mb=max(row["max_memory_mb"] for row in rows), cost=costs.get(at),
            sample=any(row["origin"] == Origin.SAMPLE for row in rows), percentiles=_percentiles(histogram),
        ))  # fmt: skip
    return Fleet(Course.of(period, points, hourly=hourly), _percentiles(everything))


def _percentiles(histogram: Histogram) -> dict[str, float | None]:
    return {name: percentile(histogram, share) for name, share in SHARES}
