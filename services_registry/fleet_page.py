"""What the fleet page shows: the course of everything, who it belongs to, and what moved."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import charts
from core.timerange import time_range
from services_registry import course_charts as draw
from services_registry.course_charts import Canvas, NamedChart
from services_registry.courses import x_of
from services_registry.fleet import Fleet, fleet_of
from services_registry.fleet_entries import Entries, Entry, entries_of
from services_registry.fleet_groups import Group, courses_of, groups_by, movers
from services_registry.function_page import USUAL, wider

TITLES = {
    "owner": (gettext_lazy("By owner"), gettext_lazy("Whose functions are called?")),
    "capability": (gettext_lazy("By capability"), gettext_lazy("What are calls made for?")),
}


def page_of(request: HttpRequest) -> dict[str, Any]:
    """Read from rollups and standings only: the same few queries for 200 functions and for 1,000."""
    period = time_range(request.GET, default=USUAL)
    comparing = bool(request.GET.get("compare"))
    fleet = fleet_of(period)
    before = fleet_of(period.before(), hourly=fleet.course.hourly) if comparing else None
    entries = entries_of(period)
    parts = [_part(name, entries, period) for name in TITLES]
    return {
        "period": period, "comparing": comparing, "wider": wider(period), "fleet": fleet, "step": fleet.course.step,
        "charts": _charts(fleet, before), "parts": parts, "as_of": entries.as_of, "sums": _sums(fleet, entries),
        "percentiles": fleet.percentiles(),
        "functions": sum(entry.gone is None for entry in entries.rows),
        "gone": sum(entry.gone is not None for entry in entries.rows),
        "movers": _movers(entries.rows), "sample": fleet.sample or any(entry.sample for entry in entries.rows),
    }  # fmt: skip


def _charts(fleet: Fleet, before: Fleet | None) -> list[NamedChart]:
    if not fleet.course.points:
        return []
    canvas = Canvas(fleet.course, before.course if before else None, [], timezone.now())
    return [
        draw.calls_chart(canvas), draw.durations_chart(canvas, title=gettext_lazy("How long do calls take?")),
        draw.cold_chart(canvas), draw.init_chart(canvas), draw.running_chart(canvas), draw.cost_chart(canvas),
    ]  # fmt: skip


def _sums(fleet: Fleet, entries: Entries) -> dict[str, Any]:
    names = ("invocations", "errors", "timeouts", "cold_starts")
    totals: dict[str, Any] = {name: fleet.total(name) for name in names}
    calls = totals["invocations"]
    earlier = sum(entry.before_invocations or 0 for entry in entries.rows)
    now = sum(entry.invocations or 0 for entry in entries.rows)
    return totals | {
        "error_share": totals["errors"] / calls if calls else None,
        "timeout_share": totals["timeouts"] / calls if calls else None,
        "cold_share": totals["cold_starts"] / calls if calls else None,
        "cost": fleet.cost, "change": now / earlier - 1 if earlier else None, "before": earlier,
    }  # fmt: skip


def _part(name: str, entries: Entries, period: Any) -> dict[str, Any]:
    """The table and the chart of one way to put functions together."""
    groups = groups_by(name, entries.rows, period)
    heading, question = TITLES[name]
    return {
        "name": name,
        "heading": heading,
        "groups": groups,
        "chart": _course(name, question, groups, entries, period),
    }


def _course(name: str, question: Any, groups: list[Group], entries: Entries, period: Any) -> NamedChart | None:
    times, values = courses_of(groups, entries, period)
    if not values:
        return None
    named = {key or _("none"): series for key, series in values.items()}
    figure = charts.bars([x_of(at) for at in times], charts.top_series(named))
    return NamedChart(f"by-{name}", question, charts.compact(figure), _("REPORT lines; the latest 90 steps at most"))


def _movers(rows: list[Entry]) -> list[dict[str, Any]]:
    """Each kind of movement with its functions."""
    return [
        {"heading": _("Cost"), "money": True, "rows": movers(rows, "cost")},
        {"heading": _("Calls"), "rows": movers(rows, "invocations")},
        {"heading": _("Errors"), "rows": movers(rows, "errors")},
        {"heading": _("Time-outs"), "rows": movers(rows, "timeouts")},
    ]
