"""What the page of one function's what-if shows: the verdict in words, the break-even as a chart, the tables."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import charts
from core.formats import duration_ms_text
from core.money import format_money
from costs.choices import WAY_TONES, WayOut
from costs.what_if.answer import ARCHITECTURES, Answer, lambda_curve, server_curve
from costs.what_if.bill import Option
from costs.what_if.servers import Offer

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

LONG_CALL_MS = 180_000
MUCH = 0.05
BUSY = 0.5
POINTS = 60
WIDEST = 60
"""Times as many calls as now that the chart shows at most: beyond, the present would be a point at its edge."""
WHY: dict[str, _StrOrPromise] = {
    "memory": gettext_lazy("memory at the busiest time"),
    "cpu": gettext_lazy("CPU at the busiest time"),
    "baseline": gettext_lazy("CPU on average, within the baseline"),
    "least": gettext_lazy("as many as are asked for"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    tone: str
    short: str
    text: str


@dataclass(frozen=True, slots=True)
class Size:
    """One memory size: its option on each architecture, None where no price is known."""

    memory_mb: int
    now: bool
    fits: bool
    options: list[tuple[str, Option | None, Decimal | None]]
    """(architecture, option, USD a month against now)"""


@dataclass(frozen=True, slots=True)
class ServerRow:
    offer: Offer
    why: _StrOrPromise
    against: Decimal
    chosen: bool


def verdict(found: Answer) -> Verdict:
    """The answer in one line, and what it rests on."""
    if found.usd is None:
        return Verdict("yellow", _("No price is known"), _("Add the prices of its region in the admin."))
    if not found.enough:
        text = _("It was called %(calls)s times in %(days)s days.") % {"calls": found.use.calls, "days": found.use.days}
        return Verdict("secondary", _("Too few calls to say"), text)
    tone, usd = WAY_TONES[found.way], format_money(found.usd, estimate=True)
    gain = {"gain": format_money(found.gain, estimate=True), "usd": usd}
    if found.way == WayOut.SERVER and found.server:
        what = {"count": found.server.count, "name": found.server.type.name, **gain}
        text = _("%(count)s × %(name)s would hold the same work and cost %(gain)s a month less than %(usd)s.") % what
        return Verdict(tone, _("Better on a server"), text)
    if found.way == WayOut.MEMORY and found.memory:
        what = {"mb": f"{found.memory.memory_mb:,}", **gain}
        text = _("With %(mb)s MB it would cost %(gain)s a month less than %(usd)s.") % what
        return Verdict(tone, _("A Lambda, with another memory size"), text)
    if found.way == WayOut.ARM:
        return Verdict(tone, _("A Lambda, on arm64"), _("It would cost %(gain)s a month less than %(usd)s.") % gain)
    return Verdict("green", _("A Lambda, as it is"), _("Nothing looked at is cheaper than %(usd)s a month.") % gain)


def hints(found: Answer) -> list[str]:
    """What else speaks for or against it, with the number it rests on."""
    use = found.use
    lines = []
    if found.break_even:
        what = {"calls": calls_text(found.break_even), "now": calls_text(use.calls_per_day)}
        lines.append(_("Servers are cheaper from about %(calls)s calls a day on; it has %(now)s.") % what)
    elif found.server:
        lines.append(_("However many calls there are, servers of this kind are not cheaper."))
    if use.busy_share > BUSY:
        lines.append(_("It is busy %(share)s of the time.") % {"share": f"{use.busy_share:.0%}"})
    if use.p95_ms and use.p95_ms > LONG_CALL_MS:
        text = _(
            "5 of 100 calls take longer than %(time)s. Beyond three minutes a time-out costs much and loses the work."
        )
        lines.append(text % {"time": duration_ms_text(use.p95_ms)})
    if use.cold_share > MUCH:
        text = _("%(share)s of its calls are cold starts; a server has none.")
        lines.append(text % {"share": f"{use.cold_share:.0%}"})
    if use.timeouts:
        text = _("%(count)s calls of these days ran into the time-out and were billed to the end.")
        lines.append(text % {"count": f"{use.timeouts:,}"})
    if found.warm:
        text = _("Of it %(usd)s a month is for environments that are kept warm.")
        lines.append(text % {"usd": format_money(found.warm, estimate=True)})
    return lines


def calls_text(calls: float) -> str:
    """`0.04`, `1.3`, `12`, `1,250`: two or three figures are enough."""
    if calls < 10:
        return f"{calls:.1g}" if calls < 1 else f"{calls:.1f}"
    return f"{calls:,.0f}" if calls < 1_000 else f"{float(f'{calls:.3g}'):,.0f}"


def figure(found: Answer) -> charts.Figure | None:
    """USD a month against calls a day: Lambda's line, the servers' stair, where it is now and where they cross."""
    if found.usd is None or found.server is None:
        return None
    now = found.use.calls_per_day
    break_even = found.break_even if found.break_even and found.break_even <= now * WIDEST else None
    last = max(now * 2, (break_even or 0) * 1.5)
    x = [float(f"{last * step / POINTS:.5g}") for step in range(POINTS + 1)]
    line, stair = lambda_curve(found), server_curve(found.server, found.use, found.assumed)
    name = found.server.type.name
    series = {
        "Lambda": [float(f"{line(calls / now):.5g}") for calls in x],
        name: [float(f"{stair(calls / now):.5g}") for calls in x],
    }
    drawn = charts.lines(
        x, series, y_title=_("USD a month"), x_type="linear", hovermode="x unified",
    )  # fmt: skip
    drawn["data"][1]["line"]["shape"] = "hv"
    drawn["layout"]["xaxis"]["title"] = {"text": _("calls a day"), "standoff": 4}
    drawn["layout"] |= {"legend": {"orientation": "h", "y": -0.35, "x": 0}, "height": 320}
    drawn = charts.with_marker(drawn, now, _("now"))
    return charts.with_marker(drawn, break_even, _("break-even")) if break_even else drawn


def sizes(found: Answer) -> list[Size]:
    """The table of memory sizes and architectures."""
    by = {(option.memory_mb, option.architecture): option for option in found.options}
    calls = (found.usd or Decimal(0)) - found.warm
    return [
        Size(
            memory, memory == found.use.function.memory_mb, all(o.fits for o in found.options if o.memory_mb == memory),
            [(arch, by.get((memory, arch)), _against(by.get((memory, arch)), calls)) for arch in ARCHITECTURES],
        )
        for memory in sorted({option.memory_mb for option in found.options})
    ]  # fmt: skip


def _against(option: Option | None, usd: Decimal) -> Decimal | None:
    return None if option is None else option.usd - usd


def servers(found: Answer) -> list[ServerRow]:
    """The table of servers, the cheapest first."""
    usd = found.usd or Decimal(0)
    return [ServerRow(offer, WHY[offer.why], offer.usd - usd, offer == found.server) for offer in found.offers]
