"""Today so far against a usual day of the same weekday, up to the same time of day.

The usual is the median of the last eight. Today ends when the hours were last counted; of the other days, the hour under
way then counts in part, as if it were even. Days before the first hour that is known are no zeros: they are not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from statistics import median

from django.db.models import Q
from django.utils import timezone

from shipments.models import HomeHour

WEEKS = 8
ENOUGH = 3
"""With fewer days known there is nothing one could call usual."""
NAMES = ("orders", "delivered", "failed")
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Course:
    """`days`: the same weekday of earlier weeks, the oldest first, None where nothing is known; `usual` also then."""

    name: str
    today: int
    days: list[tuple[date, float | None]]

    @property
    def known(self) -> list[float]:
        return [value for _day, value in self.days if value is not None]

    @property
    def usual(self) -> float | None:
        return median(self.known) if len(self.known) >= ENOUGH else None

    @property
    def unusual(self) -> str:
        """`more` or `less` than on every day that is known; empty otherwise."""
        if self.usual is None or min(self.known) <= self.today <= max(self.known):
            return ""
        return "more" if self.today > max(self.known) else "less"


def courses(as_of: datetime) -> list[Course]:
    """Two small queries."""
    zone = timezone.get_current_timezone()
    today = as_of.astimezone(zone).date()
    spans = {day: _until(day, as_of, zone) for day in (today - timedelta(weeks=back) for back in range(WEEKS, -1, -1))}
    # Of today the hour under way is there as far as it was counted: it is taken whole.
    spans[today] = (spans[today][0], as_of + HOUR)
    rows = _hours(spans.values())
    first = _first_hour()
    found = []
    for place, name in enumerate(NAMES):
        cells = {hour: numbers[place] for hour, numbers in rows.items()}
        values = [(day, _sum(cells, *span) if first and first <= span[0] else None) for day, span in spans.items()]
        found.append(Course(name, round(_sum(cells, *spans[today])), values[:-1]))
    return found


def _until(day: date, as_of: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """From the start of the day to the time of day of `as_of`, in the zone of the viewer, as moments in UTC."""
    clock = as_of.astimezone(zone).time()
    ends = (datetime.combine(day, at, tzinfo=zone).astimezone(UTC) for at in (time(), clock))
    start, end = ends
    return start, end


def _hours(spans: Iterable[tuple[datetime, datetime]]) -> dict[datetime, tuple[int, ...]]:
    wanted = Q(pk__in=[])
    for start, end in spans:
        wanted |= Q(hour__gt=start - HOUR, hour__lt=end)
    rows = HomeHour.objects.filter(wanted, carrier=None).order_by()
    return {hour: tuple(numbers) for hour, *numbers in rows.values_list("hour", *NAMES)}


def _first_hour() -> datetime | None:
    return HomeHour.objects.filter(carrier=None).order_by("hour").values_list("hour", flat=True).first()


def _sum(cells: Mapping[datetime, int], start: datetime, end: datetime) -> float:
    """Cells between two moments; one that reaches beyond an end counts by its share."""
    whole = 0.0
    for hour, number in cells.items():
        inside = min(hour + HOUR, end) - max(hour, start)
        whole += number * max(0.0, inside / HOUR)
    return whole
