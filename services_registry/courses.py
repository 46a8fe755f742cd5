"""What happened step by step over a range: hours or UTC days, on a grid without holes, so that gaps stay gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils import timezone

from core.timerange import TimeRange

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
At = datetime | date
YEARS = range(2014, 2200)  # Lambda began in 2014


@dataclass(slots=True)
class Point:
    """One step of a course. Percentiles in ms; sums of milliseconds."""

    at: datetime | date
    invocations: int
    errors: int
    timeouts: int
    cold_starts: int
    init_ms: float
    billed_ms: int
    max_memory_mb: int
    cost: Decimal | None
    sample: bool
    percentiles: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Metric:
    """One step as CloudWatch counted it; `concurrency`: most at once, None when it does not say."""

    invocations: int
    throttles: int
    concurrency: int | None


@dataclass(frozen=True)
class Course:
    """The points of a range by their step. A step without a point had no report: nothing ran, or nothing came in."""

    period: TimeRange
    hourly: bool
    points: dict[datetime | date, Point]

    @classmethod
    def of(cls, period: TimeRange, points: Iterable[Point], *, hourly: bool) -> Course:
        return cls(period, hourly, {point.at: point for point in points})

    @property
    def step(self) -> str:
        return "hour" if self.hourly else "day"

    @property
    def length(self) -> timedelta:
        """Of a step."""
        return HOUR if self.hourly else DAY

    @cached_property
    def grid(self) -> list[datetime | date]:
        """Every step that the range touches."""
        last = self.period.end - timedelta(microseconds=1)
        if self.hourly:
            first = hour_of(self.period.start)
            return [first + HOUR * n for n in range((hour_of(last) - first) // HOUR + 1)]
        start = self.period.start.astimezone(UTC).date()
        return [start + DAY * n for n in range((last.astimezone(UTC).date() - start).days + 1)]

    @cached_property
    def x(self) -> list[str]:
        return [x_of(at) for at in self.grid]

    @cached_property
    def _ordered(self) -> list[Point | None]:
        return [self.points.get(at) for at in self.grid]

    def values(self, get: Callable[[Point], Any]) -> list[Any]:
        """One value for each step, None where there is no point."""
        return [None if point is None else get(point) for point in self._ordered]

    def ends(self) -> tuple[str, str]:
        """Where the x axis begins and ends: with the first and the last step."""
        grid = self.grid
        return x_of(grid[0]), x_of(grid[-1] + self.length)

    def running(self, now: datetime) -> list[float | None]:
        """How many ran at once on average: billed time by the time that has passed of each step."""
        return self.values(lambda point: point.billed_ms / 1000 / self._passed(point.at, now))

    def _passed(self, at: datetime | date, now: datetime) -> float:
        start = at if isinstance(at, datetime) else datetime.combine(at, time(), UTC)
        return max(60.0, min(self.length, now - start).total_seconds())


def hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def x_of(at: datetime | date) -> str:
    """As charts and addresses name a step: an hour (or moment) of the viewer's zone, or a UTC day."""
    return f"{timezone.localtime(at):%Y-%m-%dT%H:%M}" if isinstance(at, datetime) else at.isoformat()


@dataclass(frozen=True, slots=True)
class Window:
    """One step that somebody asked to see more of: `start <= at < end`."""

    name: str
    start: datetime
    end: datetime


def window_of(name: str) -> Window | None:
    """The step that `x_of` named so; None when it names none."""
    try:
        if "T" in name:
            start = datetime.fromisoformat(name)
            start = start if start.tzinfo else start.replace(tzinfo=timezone.get_current_timezone())
            start, length = start.astimezone(UTC), HOUR
        else:
            start, length = datetime.combine(date.fromisoformat(name), time(), UTC), DAY
        return Window(name, start, start + length) if start.year in YEARS else None
    except (ValueError, OverflowError):
        return None
