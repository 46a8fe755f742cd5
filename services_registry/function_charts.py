"""The charts of a function's page: each answers one question, which is its title."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from core import charts
from services_registry.models import Function
from services_registry.selectors import Point

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True, slots=True)
class NamedChart:
    name: str
    title: _StrOrPromise
    figure: charts.Figure


def charts_of(function: Function, points: list[Point]) -> list[NamedChart]:
    """Six figures over the same x axis; empty without points."""
    if not points:
        return []
    x = [point.at.isoformat() for point in points]
    good = [point.invocations - point.errors for point in points]
    other_errors = [point.errors - point.timeouts for point in points]
    calls = {"succeeded": good, "errors": other_errors, "timeouts": [point.timeouts for point in points]}
    percentiles = {name: [point.percentiles[name] for point in points] for name in ("p50", "p95", "p99")}
    durations = charts.lines(x, percentiles, y_title=str(_("ms")))
    cold_ms = [point.init_ms / point.cold_starts if point.cold_starts else None for point in points]
    memory = charts.lines(x, {"memory used": [point.max_memory_mb or None for point in points]}, y_title="MB")
    return [
        NamedChart("calls", _("How often was it called, and how did that end?"), charts.bars(x, calls)),
        NamedChart(
            "durations", _("How close do calls come to the time-out?"),
            charts.with_limit(durations, function.timeout_s * 1000, f"time-out {function.timeout_s} s"),
        ),
        NamedChart(
            "cold", _("How many calls waited for a cold start?"),
            charts.bars(x, {"cold starts": [point.cold_starts for point in points]}),
        ),
        NamedChart("init", _("What does a cold start add?"), charts.lines(x, {"init": cold_ms}, y_title=str(_("ms")))),
        NamedChart(
            "memory", _("How much of its memory does it use?"),
            charts.with_limit(memory, function.memory_mb, f"configured {function.memory_mb} MB"),
        ),
        NamedChart(
            "cost", _("What did it cost (estimated)?"),
            charts.bars(x, {"estimated": [point.cost for point in points]}, y_title="USD"),
        ),
    ]  # fmt: skip
