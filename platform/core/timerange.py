"""The one time range of a page, kept in the address: `?range=7d`, or `?range=custom&from=2026-11-01&to=2026-11-08`.

Ranges are half-open in UTC: `start <= at < end`. Custom days are whole days of the person's zone, the last included.
With a clock time (`from=2026-11-01T10:00&to=2026-11-01T14:30`, or in `from_time` and `to_time`) an end is that moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

# 13 months, so that a month can be held against the same one a year before.
PRESETS: dict[str, tuple[_StrOrPromise, timedelta]] = {
    "1h": (_("last hour"), timedelta(hours=1)),
    "24h": (_("last 24 hours"), timedelta(hours=24)),
    "7d": (_("last 7 days"), timedelta(days=7)),
    "30d": (_("last 30 days"), timedelta(days=30)),
    "90d": (_("last 90 days"), timedelta(days=90)),
    "13m": (_("last 13 months"), timedelta(days=396)),
}
DEFAULT = "7d"
LONGEST = timedelta(days=800)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """`start` is included, `end` is not; both aware and in UTC. `problem` says why a custom range was not used."""

    start: datetime
    end: datetime
    name: str
    label: _StrOrPromise
    problem: _StrOrPromise = ""

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @property
    def hourly(self) -> bool:
        """Whether hours (not days) are the right step for a chart: up to eight days."""
        return self.length <= timedelta(days=8)

    def before(self) -> TimeRange:
        """The period of the same length just before, for comparing."""
        return TimeRange(self.start - self.length, self.start, self.name, _("the period before"))

    @property
    def query(self) -> str:
        """What keeps this range in a link."""
        if self.name != "custom":
            return f"range={self.name}"
        zone = timezone.get_current_timezone()
        start, end = self.start.astimezone(zone), self.end.astimezone(zone)
        first = f"{start:%Y-%m-%d}" + (f"T{self.first_time}" if self.first_time else "")
        last = f"{end:%Y-%m-%d}T{self.last_time}" if self.last_time else f"{self.last_day:%Y-%m-%d}"
        return f"range=custom&from={first}&to={last}"

    @property
    def first_day(self) -> date:
        return self.start.astimezone(timezone.get_current_timezone()).date()

    @property
    def last_day(self) -> date:
        return (self.end - timedelta(microseconds=1)).astimezone(timezone.get_current_timezone()).date()

    @property
    def first_time(self) -> str:
        """`10:00` where a custom range begins within a day, else empty."""
        return _clock(self.start) if self.name == "custom" else ""

    @property
    def last_time(self) -> str:
        """`14:30` where a custom range ends within a day, else empty: its last day is whole."""
        return _clock(self.end) if self.name == "custom" else ""

    @property
    def choices(self) -> list[tuple[str, _StrOrPromise]]:
        return [(name, label) for name, (label, _length) in PRESETS.items()]


def time_range(query: QueryDict, *, default: str = DEFAULT, now: datetime | None = None) -> TimeRange:
    """Read the range of an address. Never fails: what makes no sense becomes the default, with `problem` set."""
    moment = (now or timezone.now()).astimezone(UTC)
    name = query.get("range", "") or ("custom" if query.get("from") else default)
    if name == "custom":
        return _custom(query, default=default, now=moment)
    problem: _StrOrPromise = "" if name in PRESETS else _("Unknown time range; showing the usual one.")
    return _preset(name if name in PRESETS else default, moment, problem)


def _preset(name: str, now: datetime, problem: _StrOrPromise = "") -> TimeRange:
    label, length = PRESETS[name]
    return TimeRange(now - length, now, name, label, problem)


def _custom(query: QueryDict, *, default: str, now: datetime) -> TimeRange:
    zone = timezone.get_current_timezone()
    try:
        first, first_time = _day_and_time(query.get("from", ""), query.get("from_time", ""))
        last, last_time = _day_and_time(query.get("to", "") or str(timezone.localdate(now)), query.get("to_time", ""))
        start = datetime.combine(first, first_time or time(), tzinfo=zone).astimezone(UTC)
        whole = last_time is None
        end = datetime.combine(last + timedelta(days=whole), last_time or time(), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return _preset(default, now, _("The dates could not be read; write them as 2026-11-30 or 2026-11-30T14:00."))
    if end <= start:
        return _preset(default, now, _("The beginning must not be after the end."))
    if end - start > LONGEST:
        return _preset(default, now, _("A range may span at most 800 days."))
    times = (f" {first_time:%H:%M}" if first_time else "", f" {last_time:%H:%M}" if last_time else "")
    return TimeRange(start, end, "custom", f"{first:%Y-%m-%d}{times[0]} – {last:%Y-%m-%d}{times[1]}")


def _day_and_time(text: str, clock: str) -> tuple[date, time | None]:
    """`2026-11-30`, `2026-11-30T14:00`, or a day with the clock time beside it."""
    day, _separator, written = text.partition("T")
    return date.fromisoformat(day), time.fromisoformat(written or clock) if written or clock else None


def _clock(moment: datetime) -> str:
    local = moment.astimezone(timezone.get_current_timezone())
    return "" if local.time() == time() else f"{local:%H:%M}"
