"""What the panels of the home page show: the counted numbers, each with the address of exactly the list behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shipments.filters import NO_REASON
from shipments.listing.attention import end_of_day
from shipments.models import HomeCount, HomePart
from shipments.reasons import reason_labels
from shipments.rollups import counts
from shipments.rollups.counting import PARTS

MISSED = 3
"""After so many counts that did not come, the age of a number is a matter of concern."""
TOP_CARRIERS, MATRIX_CARRIERS, MATRIX_REASONS = 3, 4, 8


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    n: int
    url: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the numbers of some parts are: the oldest counts. `as_of` is None before the first count."""

    as_of: datetime | None
    stale: bool
    problem: str


def freshness(*names: str) -> Freshness:
    rows = HomePart.objects.in_bulk(names)
    every = {part.name: part.every for part in PARTS}
    moments = [row.as_of for row in rows.values() if row.as_of]
    now = timezone.now()
    stale = any(row.as_of is not None and now - row.as_of > MISSED * every[row.name] for row in rows.values())
    problems = [row.problem for row in rows.values() if row.problem]
    complete = len(moments) == len(names)
    return Freshness(min(moments) if complete else None, stale, problems[0] if problems else "")


def counted_since(moment: datetime) -> bool:
    """Whether every part was tried after `moment`."""
    rows = HomePart.objects.in_bulk([part.name for part in PARTS])
    tried = [max(at for at in (row.as_of, row.problem_at, moment) if at) for row in rows.values()]
    return len(rows) == len(PARTS) and all(at > moment for at in tried)


def list_url(page: str = "shipment-list", /, **query: str | int | Sequence[str]) -> str:
    return f"{reverse(page)}?{urlencode(query, doseq=True)}"


def late() -> dict[str, object]:
    found = _of("late")
    drawers = _drawers(found, counts.LATE_DAYS, "late_days", ("", "yellow", "red", "red"), late="now")
    return {
        "total": Line(_("late now"), sum(found.values()), list_url(late="now"), "red"),
        "lines": drawers[::-1],
        "carriers": _top_carriers("late", late="now"),
        "due": _due(),
    }


def _due() -> list[Line]:
    """Hours of promises are UTC; the day is the viewer's. A promise of a whole day is due on that day wherever one is."""
    found, lines, start = _of("due"), [], ""
    words = {"today": _("due today"), "tomorrow": _("due tomorrow")}
    for ahead, name in enumerate(words):
        day = timezone.localdate() + timedelta(days=ahead)
        end = _hour(end_of_day(day))
        timed = sum(n for hour, n in found.items() if start <= hour < end and len(hour) > len(str(day)))
        lines.append(Line(words[name], timed + found[day.isoformat()], list_url(due=name)))
        start = end
    return lines


def _hour(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H")


def silent() -> dict[str, object]:
    found = _of("silent")
    drawers = _drawers(found, counts.SILENT_DAYS, "silent_days", ("", "yellow", "red", "red"))
    return {
        "total": Line(_("open, not heard of for a day or more"), sum(found.values()), list_url(silent_days=1)),
        "lines": drawers[::-1],
        "carriers": _top_carriers("silent", silent_days=counts.SILENT_DAYS[2], least=3),
        "from_days": counts.SILENT_DAYS[2],
    }


def to_sort_out(codes: int | None) -> list[Line]:
    """`codes`: how many wait in the backlog; None for people who may not look there."""
    query: dict[str, str | int] = {"missing": "proof_of_delivery"}
    proofs = _drawers(
        _of("proof"), counts.PROOF_DAYS, "delivered_days", ("yellow", "yellow", "red"), last=counts.PROOF_WITHIN,
        sort="-delivered", **query,
    )[::-1]  # fmt: skip
    messages, unmapped = _of("message"), _of("unmapped")
    return [
        *(Line(_("no proof of delivery for %s") % line.label, line.n, line.url, line.tone) for line in proofs),
        Line(_("messages to review"), messages["review"], list_url("message-list", review="true"), "yellow"),
        Line(_("messages not classified"), messages["unclassified"], list_url("message-list", unclassified="true")),
        Line(_("deliveries with a code not mapped"), sum(unmapped.values()), list_url(unmapped="true"), "yellow"),
        *([] if codes is None else [Line(_("codes not mapped"), codes, reverse("code-list"))]),
    ]


@dataclass(frozen=True, slots=True)
class Matrix:
    """`rows`: the reason, then one number for all carriers and one for each of `heads`."""

    heads: list[str]
    rows: list[tuple[str, list[Line]]]
    total: Line


def exceptions() -> Matrix:
    cells: Counter[tuple[str, str, str]] = Counter()
    rows = HomeCount.objects.filter(kind="exception").order_by()
    for reason, code, name, n in rows.values_list("key", "carrier__code", "carrier__name", "n"):
        cells[reason, code, name] += n
    by_reason, by_carrier = Counter[str](), Counter[tuple[str, str]]()
    for (reason, code, name), n in cells.items():
        by_reason[reason] += n
        by_carrier[code, name] += n
    carriers = _largest(by_carrier, MATRIX_CARRIERS)
    most = len(by_reason) if len(by_reason) <= MATRIX_REASONS else MATRIX_REASONS - 1
    shown = [[reason] for reason in _largest(by_reason, most)]
    rest = sorted(set(by_reason) - {reason for group in shown for reason in group})
    groups = [*shown, rest] if rest else shown
    labels = reason_labels()
    total = Line(_("exceptions"), by_reason.total(), list_url(exception="true"), "red")
    lines = [(_label(group, labels), _cells(group, carriers, cells, by_reason)) for group in groups]
    return Matrix([name for _code, name in carriers], lines, total)


def _label(group: Sequence[str], labels: dict[str, str]) -> str:
    if len(group) > 1:
        return ngettext("%d other reason", "%d other reasons", len(group)) % len(group)
    return labels.get(group[0], group[0]) or _("no reason stated")


def _cells(
    group: Sequence[str],
    carriers: Sequence[tuple[str, str]],
    cells: Counter[tuple[str, str, str]],
    totals: Counter[str],
) -> list[Line]:
    reasons = [reason or NO_REASON for reason in group]
    whole = Line(_("all carriers"), sum(totals[reason] for reason in group), list_url(exception="true", reason=reasons))
    return [whole] + [
        Line(
            name,
            sum(cells[reason, code, name] for reason in group),
            list_url(exception="true", reason=reasons, carrier=code),
        )
        for code, name in carriers
    ]


def _of(kind: str) -> Counter[str]:
    rows = HomeCount.objects.filter(kind=kind).order_by()
    return Counter(dict(rows.values("key").annotate(whole=Sum("n")).values_list("key", "whole")))


def _drawers(
    found: Counter[str], limits: Sequence[int], name: str, tones: Sequence[str], last: int | None = None,
    **query: str | int,
) -> list[Line]:  # fmt: skip
    """A line for each stretch of days; the last one goes on for ever, or ends at `last`."""
    lines = []
    for place, (start, end) in enumerate(zip(limits, [*limits[1:], last], strict=True), 1):
        bounds = ({name: start} if start else {}) | ({f"{name}_under": end} if end else {})
        lines.append(Line(_days(start, end), found[str(place)], list_url(**query, **bounds), tones[place - 1]))
    return lines


def _days(start: int, end: int | None) -> str:
    if not start:
        return _("less than a day")
    if end is None:
        return _("%d days or more") % start
    if end - start == 1:
        return ngettext("%d day", "%d days", start) % start
    return _("%(first)d–%(last)d days") % {"first": start, "last": end - 1}


def _top_carriers(kind: str, *, least: int = 1, **query: str | int) -> list[Line]:
    """The carriers with most; of drawers from `least` on."""
    rows = HomeCount.objects.filter(kind=kind, key__gte=str(least)).order_by()
    grouped = rows.values("carrier__code", "carrier__name").annotate(whole=Sum("n")).order_by("-whole", "carrier__name")
    return [
        Line(row["carrier__name"], row["whole"], list_url(**query, carrier=row["carrier__code"]))
        for row in grouped[:TOP_CARRIERS]
    ]


def _largest(counter: Counter[Any], most: int) -> list[Any]:
    return sorted(counter, key=lambda key: (-counter[key], key))[:most]
