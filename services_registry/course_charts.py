"""Figures over a course, of one function or of all: each answers the one question that is its title."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import charts
from services_registry.courses import At, Course, Metric, Point

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

MS_TICKS = {
    1.0: "1 ms", 10.0: "10 ms", 100.0: "100 ms", 1_000.0: "1 s", 10_000.0: "10 s", 100_000.0: "100 s",
    1_000_000.0: "1,000 s",
}  # fmt: skip
FAR = 4
"""When a limit is so many times above everything measured, only a logarithmic axis shows both."""
SOURCE = gettext_lazy("REPORT lines")
Steps = Sequence[tuple[str, float]]
Changes = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class NamedChart:
    """`source`: where the numbers come from, and what they are not."""

    name: str
    title: _StrOrPromise
    figure: charts.Figure
    source: _StrOrPromise = SOURCE


@dataclass(frozen=True, slots=True)
class Canvas:
    """What all charts of a page share: the course, the one before to compare with, and the changes to mark."""

    course: Course
    before: Course | None
    changes: Changes
    now: datetime
    metrics: Mapping[At, Metric] = field(default_factory=dict)
    """What CloudWatch counted, by step."""

    def finish(self, figure: charts.Figure, before: list[Any] | None = None) -> charts.Figure:
        """With the fainter line of the period before, the marks, and the common x axis."""
        if before is not None:
            count = len(self.course.grid)
            aligned = [*before, *[None] * count][:count]
            figure = charts.with_before(figure, self.course.x, aligned, _("the period before"))
        figure = charts.with_range(
            charts.with_changes(figure, self.changes),
            *self.course.ends(),
            self.course.length // timedelta(milliseconds=1),
        )
        return charts.compact(figure)

    def counted(self, get: Callable[[Metric], Any]) -> list[Any]:
        """One value of CloudWatch for each step, None where it has none."""
        return [None if (found := self.metrics.get(at)) is None else get(found) for at in self.course.grid]

    def earlier(self, get: Callable[[Point], Any]) -> list[Any] | None:
        return None if self.before is None else self.before.values(get)


def calls_chart(canvas: Canvas) -> NamedChart:
    course = canvas.course
    series = {
        "succeeded": course.values(lambda point: point.invocations - point.errors),
        "errors": course.values(lambda point: point.errors - point.timeouts),
        "timeouts": course.values(lambda point: point.timeouts),
    }
    source = gettext_lazy("REPORT lines; refused calls (throttles) never start, so they are not among them")
    if canvas.metrics:
        series |= _of_cloudwatch(canvas)
        source = gettext_lazy("REPORT lines; throttles, and calls whose lines did not come in, by CloudWatch")
    figure = canvas.finish(charts.bars(course.x, series), canvas.earlier(lambda point: point.invocations))
    return NamedChart("calls", gettext_lazy("How often was it called, and how did that end?"), figure, source)


def _of_cloudwatch(canvas: Canvas) -> dict[str, list[Any]]:
    """Throttles; and the calls of steps of which no line came in."""
    known = canvas.course.points
    silent = [
        None if at in known or (found := canvas.metrics.get(at)) is None else found.invocations
        for at in canvas.course.grid
    ]
    throttles = {"throttles": canvas.counted(lambda metric: metric.throttles)}
    return throttles | ({"by CloudWatch only": silent} if any(silent) else {})


CLOSE_TO_TIMEOUT = gettext_lazy("How close do calls come to the time-out?")


def durations_chart(
    canvas: Canvas, limit: Steps = (), label: str = "", *, title: _StrOrPromise = CLOSE_TO_TIMEOUT
) -> NamedChart:
    course = canvas.course
    shares = ("p50", "p95", "p99")
    series = {name: course.values(lambda point, name=name: _tenths(point.percentiles[name])) for name in shares}  # type: ignore[misc]  # bound at once
    figure = charts.lines(course.x, series, y_title=_("ms"))
    if limit:
        figure = charts.with_steps(figure, limit, label)
        most = max((value for values in series.values() for value in values if value), default=0)
        if most and min(value for _at, value in limit) > FAR * most:
            figure = charts.with_log_scale(figure, MS_TICKS)
    figure = canvas.finish(figure, canvas.earlier(lambda point: _tenths(point.percentiles["p95"])))
    return NamedChart(
        "durations", title, figure,
        gettext_lazy("durations of REPORT lines in buckets, at most 2 % off; of the period before, p95"),
    )  # fmt: skip


def cold_chart(canvas: Canvas) -> NamedChart:
    figure = charts.bars(canvas.course.x, {"cold starts": canvas.course.values(lambda point: point.cold_starts)})
    return NamedChart(
        "cold", gettext_lazy("How many calls waited for a cold start?"),
        canvas.finish(figure, canvas.earlier(lambda point: point.cold_starts)),
        gettext_lazy("REPORT lines that state an Init Duration"),
    )  # fmt: skip


def init_chart(canvas: Canvas) -> NamedChart:
    figure = charts.lines(canvas.course.x, {"init": canvas.course.values(_init)}, y_title=_("ms"))
    return NamedChart(
        "init", gettext_lazy("What does a cold start add?"), canvas.finish(figure, canvas.earlier(_init)),
        gettext_lazy("average Init Duration of the cold starts"),
    )  # fmt: skip


def running_chart(canvas: Canvas, limit: float | None = None) -> NamedChart:
    running = [_digits(value) for value in canvas.course.running(canvas.now)]
    series = {"running at once": running}
    source = gettext_lazy("estimated: billed time ÷ time passed; peaks within a step are higher")
    peaks = canvas.counted(lambda metric: metric.concurrency)
    if any(peak is not None for peak in peaks):
        series["most at once"] = peaks
        source = gettext_lazy("average estimated: billed time ÷ time passed; most at once by CloudWatch")
    figure = charts.lines(canvas.course.x, series)
    if limit:
        figure = charts.with_limit(figure, limit, _("reserved: %(n)s") % {"n": f"{limit:,}"})
    before = None if canvas.before is None else [_digits(value) for value in canvas.before.running(canvas.now)]
    title = (
        gettext_lazy("How many ran at once?") if len(series) > 1 else gettext_lazy("How many ran at once, on average?")
    )
    return NamedChart("running", title, canvas.finish(figure, before), source)


def memory_chart(canvas: Canvas, limit: Steps, label: str) -> NamedChart:
    used = canvas.course.values(_memory)
    figure = charts.with_steps(charts.lines(canvas.course.x, {"memory used": used}, y_title="MB"), limit, label)
    return NamedChart(
        "memory", gettext_lazy("How much of its memory does it use?"), canvas.finish(figure, canvas.earlier(_memory)),
        gettext_lazy("the largest Max Memory Used of each step"),
    )  # fmt: skip


def cost_chart(canvas: Canvas) -> NamedChart:
    figure = charts.bars(canvas.course.x, {"estimated": canvas.course.values(_cost)}, y_title="USD")
    figure["layout"]["yaxis"]["exponentformat"] = "none"  # 0.0002, not 200µ
    return NamedChart(
        "cost", gettext_lazy("What did it cost (estimated)?"), canvas.finish(figure, canvas.earlier(_cost)),
        gettext_lazy("billed time × memory × list price of the day, without free tier or discounts"),
    )  # fmt: skip


def _tenths(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _digits(value: float | Decimal | None) -> float | None:
    """Enough digits to draw and read, few bytes."""
    return None if value is None else float(f"{value:.5g}")


def _init(point: Point) -> float | None:
    return round(point.init_ms / point.cold_starts, 1) if point.cold_starts else None


def _memory(point: Point) -> int | None:
    return point.max_memory_mb or None


def _cost(point: Point) -> float | None:
    return _digits(point.cost)
