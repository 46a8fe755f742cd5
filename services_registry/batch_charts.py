"""The chart of a batch's page: how its invocations are spread between "at once" and the time-out."""

from __future__ import annotations

from typing import Any

from core import charts, formats
from services_registry.batches.durations import Bin, ChunkDurations, bin_place, bins_up_to

LIMIT_COLOUR = "#D55E00"
# The names of the bins may stand upright below the chart, so the legend goes above it.
ABOVE: dict[str, Any] = {
    "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    "margin": {"l": 56, "r": 12, "t": 32, "b": 40},
}


def duration_figure(
    durations: ChunkDurations, *, timeout_ms: float | None = None, planned: dict[str, float] | None = None
) -> charts.Figure | None:
    """A histogram on a logarithmic scale, with lines for the time-out and for what was planned (name: milliseconds).

    None when nothing has been measured.
    """
    bins = bins_up_to(durations.bins, timeout_ms) if timeout_ms else durations.bins
    if not bins:
        return None
    counts = {"succeeded": [one.good for one in bins], "failed": [one.bad for one in bins]}
    figure = charts.bars(
        [_name(one) for one in bins], counts, y_title="invocations", x_type="category", bargap=0.06, **ABOVE
    )
    figure["data"][1]["name"] = "with failed items"
    lines = (
        [(f"time-out {formats.duration_ms_text(timeout_ms)}", timeout_ms, "dash", LIMIT_COLOUR)] if timeout_ms else []
    )
    lines += [(name, ms, "dot", charts.OTHER) for name, ms in (planned or {}).items()]
    shown = dict(figure["layout"])
    placed = [
        (label, place, dash, colour) for label, ms, dash, colour in lines if (place := bin_place(bins, ms)) is not None
    ]
    shown["shapes"] = [_line(place, dash, colour) for _label, place, dash, colour in placed]
    shown["annotations"] = [
        _note(label, place, level, len(bins)) for level, (label, place, _d, _c) in enumerate(placed)
    ]
    return {"data": figure["data"], "layout": shown}


def _name(one: Bin) -> str:
    if one.high == float("inf"):
        return f"from {formats.duration_ms_text(one.low)}"
    return f"to {formats.duration_ms_text(one.high)}"


def _line(place: float, dash: str, colour: str) -> dict[str, Any]:
    return {
        "type": "line", "xref": "x", "x0": place, "x1": place, "yref": "paper", "y0": 0, "y1": 1,
        "line": {"color": colour, "width": 1.5, "dash": dash},
    }  # fmt: skip


def _note(label: str, place: float, level: int, bins: int) -> dict[str, Any]:
    """One below the other, so that lines close together stay readable."""
    return {
        "x": place, "xref": "x", "xanchor": "left" if place < bins / 2 else "right",
        "y": 1 - 0.09 * level, "yref": "paper", "yanchor": "top", "text": label, "showarrow": False, "font": {"size": 11},
    }  # fmt: skip
