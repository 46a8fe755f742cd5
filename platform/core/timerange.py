"""The one time range of a page, kept in the address: `?range=7d`, or `?range=custom&from=2026-11-01&to=2026-11-08`.

Ranges are half-open in UTC: `start <= at < end`. Custom days are whole days of the person's zone, the last included.
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
        last = (self.end - timedelta(microseconds=1)).astimezone(zone)
        return f"range=custom&from={self.start.astimezone(zone):%Y-%m-%d}&to={last:%Y-%m-%d}"

    @property
    def first_day(self) -> date:
        return self.start.astimezone(timezone.get_current_timezone()).date()

    @property
    def last_day(self) -> date:
        return (self.end - timedelta(microseconds=1)).astimezone(timezone.get_current_timezone()).date()

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
    try:
        first = date.fromisoformat(query.get("from", ""))
        last = date.fromisoformat(query.get("to", "") or str(timezone.localdate(now)))
        zone = timezone.get_current_timezone()
        start = datetime.combine(first, time(), tzinfo=zone).astimezone(UTC)
        end = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return _preset(default, now, _("The dates could not be read; write them as 2026-11-30."))
    if end <= start:
        return _preset(default, now, _("The first day must not be after the last."))
    if end - start > LONGEST:
        return _preset(default, now, _("A range may span at most 800 days."))
    return TimeRange(start, end, "custom", f"{first:%Y-%m-%d} – {last:%Y-%m-%d}")
