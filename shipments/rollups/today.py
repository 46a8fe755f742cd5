"""The panel that holds today against a usual day: words, links and small bars for `shipments.rollups.usual`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.bounded import bounded_count
from shipments.filters import ShipmentFilter, filtered
from shipments.models import Shipment
from shipments.rollups.numbers import Line, list_url
from shipments.rollups.usual import ENOUGH, WEEKS, Course, courses

BAR, GAP, HEIGHT = 10, 3, 32
ALARMING = {"orders": "less", "delivered": "less", "failed": "more"}


@dataclass(frozen=True, slots=True)
class Row:
    line: Line
    usual: int | None
    known: int
    share: float | None
    """Today as a share of the usual; None when there is none to speak of."""
    remark: str
    bars: SafeString


@dataclass(frozen=True, slots=True)
class Today:
    weekday: str
    at: datetime
    rows: list[Row]
    enough: int
    weeks: int


def today(as_of: datetime) -> Today:
    day = timezone.localtime(as_of).date()
    rows = [_row(course, day) for course in courses(as_of)]
    return Today(date_format(day, "l"), as_of, rows, ENOUGH, WEEKS)


def _row(course: Course, day: date) -> Row:
    usual, line = course.usual, _line(course, day)
    alarming = course.unusual == ALARMING[course.name]
    remark = _remark(course.unusual) if course.unusual else ""
    line = Line(line.label, line.n, line.url, "yellow" if alarming else "")
    share = line.n / usual if usual else None
    return Row(line, None if usual is None else round(usual), len(course.known), share, remark, _bars(course, day))


def _line(course: Course, day: date) -> Line:
    if course.name == "orders":
        return Line(_("orders taken"), course.today, list_url(created_after=day.isoformat()))
    if course.name == "delivered":
        return Line(_("delivered"), course.today, list_url(delivered_after=day.isoformat(), sort="-delivered"))
    # A delivery tried in vain in two hours of a day is in two cells; the list has it once, so this number is the list's.
    query = {"failed_after": day.isoformat()}
    listed = bounded_count(filtered(ShipmentFilter, Shipment.objects.all(), query))
    return Line(_("tried in vain"), course.today if listed.more else listed.n, list_url(**query))


def _remark(unusual: str) -> str:
    return _("more than on any of them") if unusual == "more" else _("less than on any of them")


def _bars(course: Course, day: date) -> SafeString:
    """The days before and today as bars, by attributes alone. A day that is not known has none."""
    values: Sequence[tuple[date, float | None]] = [*course.days, (day, float(course.today))]
    top = max([value for _day, value in values if value is not None] or [0]) or 1
    bars = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        (
            (
                "now" if at == day else "then",
                place * (BAR + GAP),
                f"{HEIGHT - value / top * HEIGHT:.1f}",
                BAR,
                f"{max(1.0, value / top * HEIGHT):.1f}",
                f"{at.isoformat()}: {round(value):,}",
            )
            for place, (at, value) in enumerate(values)
            if value is not None
        ),
    )
    width = len(values) * (BAR + GAP)
    label = _("%(n)d of the %(weeks)d weeks before, and today") % {"n": len(course.known), "weeks": WEEKS}
    return format_html(
        '<svg class="day-bars" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>',
        width, HEIGHT, width, HEIGHT, label, bars,
    )  # fmt: skip
