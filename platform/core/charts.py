"""Plotly figures as plain dicts (a hundred times cheaper than its Python objects) with one look.

Colours: the palette of Okabe and Ito, "Color Universal Design" (2008), told apart by people with any colour vision.
The same name gets the same colour on every page. Theme colours (text, grid) are set in the browser.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
OTHER = "#8A8F98"
# Names with a meaning of their own.
NAMED = {
    "succeeded": "#009E73",
    "invocations": "#0072B2",
    "errors": "#D55E00",
    "failed": "#D55E00",
    "timeouts": "#CC79A7",
    "throttles": "#E69F00",
    "cold starts": "#56B4E9",
    "estimated": "#56B4E9",
    "billed": "#0072B2",
    "other": OTHER,
}
MOST_SERIES = 6
Number = float | int | Decimal | None
Figure = dict[str, Any]


def colour_of(name: str) -> str:
    """A stable colour for a series name."""
    return NAMED.get(name.lower()) or PALETTE[zlib.crc32(name.lower().encode()) % len(PALETTE)]


def colours_for(names: Sequence[str]) -> dict[str, str]:
    """Colours of the series of one chart: each its usual one, moved on only when two would be alike."""
    taken: dict[str, str] = {}
    for name in names:
        usual = colour_of(name)
        start = PALETTE.index(usual) if usual in PALETTE else 0
        free = [colour for colour in (*PALETTE[start:], *PALETTE[:start]) if colour not in taken.values()]
        taken[name] = usual if usual not in taken.values() else (free[0] if free else OTHER)
    return taken


def layout(*, y_title: str = "", x_type: str = "date", **more: Any) -> dict[str, Any]:
    """Layout defaults: no title (the heading above the chart asks the question), hover for all series at once."""
    base: dict[str, Any] = {
        "margin": {"l": 56, "r": 12, "t": 8, "b": 40},
        "height": 280,
        "hovermode": "x unified",
        "showlegend": True,
        "legend": {"orientation": "h", "y": -0.2, "x": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": {"type": x_type, "automargin": True},
        "yaxis": {"title": {"text": y_title}, "rangemode": "tozero", "automargin": True},
    }
    return base | more


def _x(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _y(value: Number) -> float | int | None:
    return float(value) if isinstance(value, Decimal) else value


def top_series(series: Mapping[str, Sequence[Number]], most: int = MOST_SERIES) -> dict[str, list[Number]]:
    """At most `most` series, the largest by sum; the rest added up as "other"."""
    if len(series) <= most:
        return {name: list(values) for name, values in series.items()}
    ranked = sorted(series, key=lambda name: -sum(float(value or 0) for value in series[name]))
    kept = {name: list(series[name]) for name in ranked[: most - 1]}
    rest = [series[name] for name in ranked[most - 1 :]]
    kept["other"] = [
        sum((Decimal(str(v)) for v in column if v is not None), Decimal()) for column in zip(*rest, strict=True)
    ]
    return kept


def lines(
    x: Sequence[datetime | str | float], series: Mapping[str, Sequence[Number]], *, y_title: str = "", **more: Any
) -> Figure:
    """Lines over a common x. `None` is a gap and stays one."""
    colours = colours_for(list(series))
    data = [
        {
            "type": "scatter",
            "mode": "lines" if len(x) > 1 else "markers",
            "name": name,
            "x": [_x(value) for value in x],
            "y": [_y(value) for value in values],
            "connectgaps": False,
            "line": {"color": colours[name], "width": 2},
        }
        for name, values in series.items()
    ]
    return {"data": data, "layout": layout(y_title=y_title, **more)}


def bars(
    x: Sequence[Any],
    series: Mapping[str, Sequence[Number]],
    *,
    y_title: str = "",
    stacked: bool = True,
    x_type: str = "date",
    **more: Any,
) -> Figure:
    """Bars over a common x, stacked by default. For names on the x axis say `x_type="category"`."""
    colours = colours_for(list(series))
    data = [
        {
            "type": "bar",
            "name": name,
            "x": [_x(value) for value in x],
            "y": [_y(value) for value in values],
            "marker": {"color": colours[name]},
        }
        for name, values in series.items()
    ]
    return {
        "data": data,
        "layout": layout(y_title=y_title, x_type=x_type, barmode="stack" if stacked else "group", **more),
    }


def ranking(names: Sequence[str], values: Sequence[Number], *, x_title: str = "", name: str = "") -> Figure:
    """Horizontal bars, the first name on top."""
    data = {
        "type": "bar",
        "orientation": "h",
        "name": name or x_title,
        "x": [_y(value) for value in values],
        "y": list(names),
        "marker": {"color": colour_of(name or x_title)},
    }
    shape = layout(x_type="linear", showlegend=False, hovermode="closest", height=max(160, 60 + 26 * len(names)))
    shape["xaxis"]["title"] = {"text": x_title}
    shape["yaxis"] = {"autorange": "reversed", "automargin": True, "type": "category"}
    return {"data": [data], "layout": shape}


def with_limit(figure: Figure, value: float, label: str) -> Figure:
    """A dashed horizontal line with its name, for example the time-out."""
    shape = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value}
    shape["line"] = {"color": "#D55E00", "width": 1.5, "dash": "dash"}
    note = {
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "y": value,
        "yanchor": "bottom",
        "text": label,
        "showarrow": False,
    }
    return _with(figure, shape, note)


def with_marker(figure: Figure, at: datetime, label: str) -> Figure:
    """A dotted vertical line, for example a deploy."""
    shape = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": _x(at), "x1": _x(at)}
    shape["line"] = {"color": OTHER, "width": 1, "dash": "dot"}
    note = {
        "x": _x(at),
        "yref": "paper",
        "y": 1,
        "yanchor": "top",
        "xanchor": "left",
        "text": label,
        "showarrow": False,
    }
    return _with(figure, shape, note)


def with_band(figure: Figure, start: datetime, end: datetime) -> Figure:
    """A shaded stretch of time, for example an incident."""
    shape = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": _x(start), "x1": _x(end), "layer": "below"}
    shape |= {"fillcolor": "#D55E00", "opacity": 0.15, "line": {"width": 0}}
    return _with(figure, shape, None)


def _with(figure: Figure, shape: dict[str, Any], note: dict[str, Any] | None) -> Figure:
    shown = dict(figure["layout"])
    shown["shapes"] = [*shown.get("shapes", []), shape]
    if note:
        shown["annotations"] = [*shown.get("annotations", []), note]
    return {"data": figure["data"], "layout": shown}


def table_of(figure: Figure) -> tuple[list[str], list[list[Any]]]:
    """(headings, rows): the same numbers as a table, one row for each x."""
    horizontal = any(trace.get("orientation") == "h" for trace in figure["data"])
    key, value = ("y", "x") if horizontal else ("x", "y")
    rows: dict[Any, list[Any]] = {}
    for place, trace in enumerate(figure["data"]):
        for at, number in zip(trace[key], trace[value], strict=True):
            rows.setdefault(at, [None] * len(figure["data"]))[place] = number
    return [trace.get("name", "") for trace in figure["data"]], [[at, *numbers] for at, numbers in rows.items()]
