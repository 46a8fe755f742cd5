"""What was promised against what happened: the stops of a delivery in time, and a verdict in a few words. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

SOON = timedelta(hours=6)
"""A delivery due within this time is worth a look."""
PUNCTUAL = timedelta(minutes=1)
MAY_BE_DELIVERED = frozenset({"delivered", "pending", "unknown", ""})
"""A stated time of delivery counts with these; beside any other status it was taken back by what happened since."""
ENDED = frozenset({"cancelled", "return_to_sender"})
WIDTH, MARGIN = 100, 1.5
"""Of the picture, in percent, so that it fits any width."""


@dataclass(frozen=True, slots=True)
class Dates:
    """All aware, None where nothing is known. `out_for_delivery` is the latest try, `picked_up` the first time."""

    ordered: datetime
    picked_up: datetime | None = None
    out_for_delivery: datetime | None = None
    promised: datetime | None = None
    delivered: datetime | None = None


class Verdict(NamedTuple):
    text: str
    tone: str


class Due(NamedTuple):
    """`until`: the first moment that is too late. `whole_day`: a day was promised, no time."""

    until: datetime
    whole_day: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """`x`: where on the line it is, in percent; None when it has not happened. `day_only`: no time is known."""

    key: str
    label: _StrOrPromise
    at: datetime | None
    x: float | None = None
    day_only: bool = False
    absent: _StrOrPromise = ""
    """What to say where there is no time."""


class Stretch(NamedTuple):
    """A part of the line: `gone` (behind us), `ahead`, `late` or `early`."""

    key: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Course:
    stops: list[Stop]
    stretches: list[Stretch]
    now: float | None
    """Where the present is on the line; None when the delivery is over."""
    verdict: Verdict


def span_text(span: timedelta) -> str:
    """`2 d 4 h`, `5 h 10 min`, `12 min`; two units at most, never below a minute."""
    minutes = max(1, round(abs(span).total_seconds() / 60))
    if minutes >= 1440:
        hours = round(minutes / 60)
        days, hours = divmod(hours, 24)
        return _("%(d)d d %(h)d h") % {"d": days, "h": hours} if hours else _("%d d") % days
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(h)d h %(min)d min") % {"h": hours, "min": minutes} if minutes else _("%d h") % hours
    return _("%d min") % minutes


def due_of(promised: datetime, zone: tzinfo) -> Due:
    """A promise at midnight UTC is one of a day without a time: it is kept until that day is over, in `zone`."""
    stated = promised.astimezone(UTC)
    if stated.time() != time():
        return Due(promised, whole_day=False)
    return Due(datetime.combine(stated.date() + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC), whole_day=True)


def verdict_of(status: str, dates: Dates, now: datetime, zone: tzinfo) -> Verdict:
    """How the delivery stands against its promise."""
    dates = _as_it_stands(status, dates)
    due = due_of(dates.promised, zone) if dates.promised else None
    if dates.delivered:
        return _verdict_of_delivered(dates, dates.delivered, due)
    if status == "delivered":
        return Verdict(_("delivered, time not known"), "secondary")
    if status in ENDED:
        return Verdict(_("no longer expected"), "secondary")
    if due is None:
        return Verdict(_("no date promised"), "secondary")
    if now >= due.until:
        return Verdict(_("%s overdue") % span_text(now - due.until), "red")
    left = due.until - now
    return Verdict(_("due in %s") % span_text(left), "yellow" if left <= SOON else "blue")


def _as_it_stands(status: str, dates: Dates) -> Dates:
    return dates if status in MAY_BE_DELIVERED else replace(dates, delivered=None)


def _verdict_of_delivered(dates: Dates, delivered: datetime, due: Due | None) -> Verdict:
    if due is None or dates.promised is None:
        return Verdict(_("delivered after %s") % span_text(delivered - dates.ordered), "green")
    if due.whole_day:
        begins = due.until - timedelta(days=1)
        if begins <= delivered < due.until:
            return Verdict(_("on the promised day"), "green")
        late, by = delivered >= due.until, delivered - (due.until if delivered >= due.until else begins)
    else:
        late, by = delivered > due.until, delivered - due.until
        if abs(by) < PUNCTUAL:
            return Verdict(_("on time"), "green")
    return Verdict((_("%s late") if late else _("%s early")) % span_text(by), "orange" if late else "green")


def course_of(status: str, dates: Dates, *, now: datetime, zone: tzinfo) -> Course:
    """The whole picture, laid out along time from the order to the latest of delivery, promise and present."""
    dates = _as_it_stands(status, dates)
    due = due_of(dates.promised, zone) if dates.promised else None
    over = dates.delivered is not None or status in ENDED or status == "delivered"
    reached = dates.delivered or (None if over else now)
    known = [dates.ordered, dates.picked_up, dates.out_for_delivery, due.until if due else None, reached]
    moments = [moment for moment in known if moment]
    first, last = min(moments), max(moments)
    length = (last - first) / timedelta(seconds=1) or 1.0

    def x(moment: datetime | None) -> float | None:
        if moment is None:
            return None
        return round(MARGIN + (moment - first) / timedelta(seconds=1) / length * (WIDTH - 2 * MARGIN), 2)

    absent = gettext_lazy("not reported") if over else gettext_lazy("not yet")
    stops = [
        Stop(key, label, at, x(at), absent=absent)
        for key, label, at in (
            ("ordered", gettext_lazy("Ordered"), dates.ordered),
            ("picked_up", gettext_lazy("Picked up"), dates.picked_up),
            ("out_for_delivery", gettext_lazy("Out for delivery"), dates.out_for_delivery),
            ("delivered", gettext_lazy("Delivered"), dates.delivered),
        )
    ]
    promised = Stop(
        "promised", gettext_lazy("Promised"), dates.promised, x(due.until) if due else None,
        day_only=bool(due and due.whole_day), absent=gettext_lazy("no date"),
    )  # fmt: skip
    stops.insert(3, promised)
    furthest = reached or max(moment for moment in (dates.ordered, dates.picked_up, dates.out_for_delivery) if moment)
    stretches = _stretches(x(first) or 0.0, x(furthest) or 0.0, x(due.until) if due and reached else None, over=over)
    return Course(stops, stretches, None if over else x(now), verdict_of(status, dates, now, zone))


def _stretches(start: float, reached: float, due: float | None, *, over: bool) -> list[Stretch]:
    """What is behind us until the promise, and beyond it what is late; before it what was saved, or is still to come."""
    if due is not None and reached > due:
        return [Stretch("gone", start, round(due - start, 2)), Stretch("late", due, round(reached - due, 2))]
    gone = Stretch("gone", start, round(reached - start, 2))
    if due is None:
        return [gone]
    return [gone, Stretch("early" if over else "ahead", reached, round(due - reached, 2))]
