"""Plotly figures as plain dicts (a hundred times cheaper than its Python objects) with one look.

Colours: the palette of Okabe and Ito, "Color Universal Design" (2008), told apart by people with any colour vision.
The same name gets the same colour on every page. Theme colours (text, grid) are set in the browser.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import chain, islice
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
    "by cloudwatch only": OTHER,
    "other": OTHER,
}
MOST_SERIES = 6
DAY_MS = 86_400_000
ASIDE = "aside"
"""Marks a trace that belongs to no step of the table: a limit, a mark."""
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


def _all_x(values: Sequence[Any]) -> list[Any]:
    return list(values) if set(map(type, values)) == {str} else [_x(value) for value in values]


def _all_y(values: Sequence[Number]) -> list[Any]:
    return [_y(value) for value in values] if Decimal in set(map(type, values)) else list(values)


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
    """Lines over a common x. `None` is a gap and stays one; a point between two gaps is shown as a dot."""
    colours, at = colours_for(list(series)), _all_x(x)
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers" if _has_lone_point(values) else "lines",
            "name": name,
            "x": at,
            "y": _all_y(values),
            "connectgaps": False,
            "line": {"color": colours[name], "width": 2},
            "marker": {"size": 5},
        }
        for name, values in series.items()
    ]
    return {"data": data, "layout": layout(y_title=y_title, **more)}


def _has_lone_point(values: Sequence[Number]) -> bool:
    """Whether a line alone would leave a value out."""
    if None not in values:
        return len(values) == 1
    before, after = chain((None,), values), chain(islice(values, 1, None), (None,))
    return any(
        value is not None and left is None and right is None
        for left, value, right in zip(before, values, after, strict=False)
    )


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
    colours, at = colours_for(list(series)), _all_x(x)
    data = [
        {
            "type": "bar",
            "name": name,
            "x": at,
            "y": _all_y(values),
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


def with_marker(figure: Figure, at: datetime | float, label: str) -> Figure:
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


def with_steps(figure: Figure, points: Sequence[tuple[datetime | str, float]], label: str) -> Figure:
    """A dashed line with its name that changes its height at each point: a limit that was configured otherwise before."""
    trace = {
        "type": "scatter", "mode": "lines", "name": label, "meta": ASIDE, "showlegend": True,
        "x": [_x(at) for at, _value in points], "y": [value for _at, value in points],
        "line": {"color": "#D55E00", "width": 1.5, "dash": "dash", "shape": "hv"},
    }  # fmt: skip
    return figure | {"data": [*figure["data"], trace]}


def with_before(figure: Figure, x: Sequence[datetime | str], values: Sequence[Number], label: str) -> Figure:
    """The same of an earlier time as a fainter line."""
    trace = {
        "type": "scatter", "mode": "lines", "name": label, "x": _all_x(x), "y": _all_y(values),
        "connectgaps": False, "opacity": 0.7, "line": {"color": OTHER, "width": 1.5, "dash": "dot"},
    }  # fmt: skip
    return figure | {"data": [*figure["data"], trace]}


def with_changes(figure: Figure, changes: Sequence[tuple[datetime | str, str]]) -> Figure:
    """Dotted vertical lines with a mark on top whose words show on hover, for example deploys."""
    if not changes:
        return figure
    shapes = [
        {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": _x(at), "x1": _x(at),
         "line": {"color": OTHER, "width": 1, "dash": "dot"}}
        for at, _words in changes
    ]  # fmt: skip
    marks = {
        "type": "scatter", "mode": "markers", "name": "changes", "meta": ASIDE, "yaxis": "y2", "showlegend": False,
        "x": [_x(at) for at, _words in changes], "y": [1] * len(changes), "text": [words for _at, words in changes],
        "hovertemplate": "%{text}<extra></extra>", "cliponaxis": False,
        "marker": {"symbol": "triangle-down", "size": 10, "color": OTHER},
    }  # fmt: skip
    shown = dict(figure["layout"])
    shown["shapes"] = [*shown.get("shapes", []), *shapes]
    shown["yaxis2"] = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
    return {"data": [*figure["data"], marks], "layout": shown}


def with_range(figure: Figure, start: datetime | str, end: datetime | str, step_ms: int) -> Figure:
    """The x axis shows this stretch, also where nothing was measured; each value stands in the middle of its step.

    Dragging over the chart chooses a part of the stretch.
    """
    shown = dict(figure["layout"])
    shown["yaxis"] = shown["yaxis"] | {"fixedrange": True}
    shown["xaxis"] = shown["xaxis"] | {"range": [_x(start), _x(end)], "autorange": False}
    place = {"xperiod": step_ms, "xperiod0": _x(start), "xperiodalignment": "middle"}
    data = [trace if trace.get("meta") == ASIDE else trace | place for trace in figure["data"]]
    return {"data": data, "layout": shown}


def with_log_scale(figure: Figure, ticks: Mapping[float, str]) -> Figure:
    """A logarithmic y axis, where what is compared is far apart; `ticks`: values and how they are written."""
    shown = dict(figure["layout"])
    axis = {name: value for name, value in shown["yaxis"].items() if name != "rangemode"}
    shown["yaxis"] = axis | {"type": "log", "tickvals": list(ticks), "ticktext": list(ticks.values())}
    return figure | {"layout": shown}


def compact(figure: Figure) -> Figure:
    """The same with days that follow each other named by the first of them: half the bytes over a year."""
    days: list[Any] = []
    data = []
    for trace in figure["data"]:
        x = trace["x"]
        if len(x) >= MOST_SERIES and x != days and x == _days(x[0], len(x)):
            days = x  # all traces of a chart share it
        data.append(_named_by_first(trace) if days and x == days else trace)
    return figure | {"data": data}


def _named_by_first(trace: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in trace.items() if name != "x"} | {"x0": trace["x"][0], "dx": DAY_MS}


@lru_cache(maxsize=32)
def _days(first: Any, count: int) -> list[str]:
    """As ISO dates. Kept, because all charts of a page ask for the same; nobody changes the list."""
    try:
        start = date.fromisoformat(first)
    except (TypeError, ValueError):
        return []
    return [(start + timedelta(days=n)).isoformat() for n in range(count)]


def x_of(trace: Mapping[str, Any]) -> list[Any]:
    """The x values of a trace, also of one that was made compact."""
    return list(trace["x"]) if "x" in trace else _days(trace["x0"], len(trace["y"]))


def table_of(figure: Figure) -> tuple[list[str], list[list[Any]]]:
    """(headings, rows): the same numbers as a table, one row for each x that has any. Limits and marks are left out."""
    horizontal = any(trace.get("orientation") == "h" for trace in figure["data"])
    traces = [trace for trace in figure["data"] if trace.get("meta") != ASIDE]
    rows: dict[Any, list[Any]] = {}
    for place, trace in enumerate(traces):
        keys, values = (trace["y"], trace["x"]) if horizontal else (x_of(trace), trace["y"])
        for at, number in zip(keys, values, strict=True):
            rows.setdefault(at, [None] * len(traces))[place] = number
    shown = [[at, *numbers] for at, numbers in rows.items() if any(number is not None for number in numbers)]
    return [trace.get("name", "") for trace in traces], shown
