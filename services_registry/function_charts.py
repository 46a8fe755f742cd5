"""The charts of a function's page over one range, with what was configured and what was changed in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext as _

from services_registry import course_charts as draw
from services_registry.course_charts import Canvas, NamedChart
from services_registry.courses import At, Course, Metric, x_of
from services_registry.function_changes import Change, label_of, readable_changes
from services_registry.models import Function, FunctionRevision

MOST_MARKS = 40
"""Marks in a chart; more could not be told apart. The latest ones are shown."""
MOST_REVISIONS = 500
CODE = label_of("code_sha256")


@dataclass(frozen=True, slots=True)
class Mark:
    """One change of the function within the range."""

    revision: FunctionRevision
    at: datetime
    changes: list[Change]

    @property
    def words(self) -> str:
        """What a mark says on hover, in lines; Plotly reads it as HTML of its own kind."""
        parts = [_words_of(change) for change in self.changes[:4]]
        return "<br>".join([*parts, *(["…"] if len(self.changes) > len(parts) else [])])


def _words_of(change: Change) -> str:
    if change.field == CODE:
        return _("new code")
    return escape(f"{change.field}: {change.before} → {change.after}"[:80])


def revisions_since(function: Function, start: datetime) -> list[FunctionRevision]:
    """Changes that were seen from then on, in the order in which they happened."""
    rows = function.revisions.filter(seen__gte=start).exclude(changes={})[:MOST_REVISIONS]
    return sorted(rows, key=happened)


def happened(revision: FunctionRevision) -> datetime:
    """When AWS says that it changed, else when it was seen."""
    return revision.changed or revision.seen


def marks_of(revisions: Iterable[FunctionRevision], course: Course) -> list[Mark]:
    period = course.period
    inside = [revision for revision in revisions if period.start <= happened(revision) < period.end][-MOST_MARKS:]
    return [Mark(revision, happened(revision), readable_changes(revision)) for revision in inside]


def charts_of(
    function: Function, course: Course, before: Course | None, revisions: Sequence[FunctionRevision],
    metrics: Mapping[At, Metric] | None = None,
) -> list[NamedChart]:  # fmt: skip
    """Seven figures over the same x axis; two where only CloudWatch knows of calls; none where nothing does."""
    if not course.points and not metrics:
        return []
    marks = [(_place(mark.at, course), mark.words) for mark in marks_of(revisions, course)]
    canvas = Canvas(course, before, marks, timezone.now(), metrics or {})
    if not course.points:
        return [draw.calls_chart(canvas), draw.running_chart(canvas, function.reserved_concurrency)]
    timeouts = [(at, value * 1000) for at, value in configured(function, revisions, course, "timeout_s")]
    memory = configured(function, revisions, course, "memory_mb")
    return [
        draw.calls_chart(canvas),
        draw.durations_chart(canvas, timeouts, _("time-out %(n)s s") % {"n": function.timeout_s}),
        draw.cold_chart(canvas),
        draw.init_chart(canvas),
        draw.running_chart(canvas, function.reserved_concurrency),
        draw.memory_chart(canvas, memory, _("configured %(n)s MB") % {"n": f"{function.memory_mb:,}"}),
        draw.cost_chart(canvas),
    ]


def configured(
    function: Function, revisions: Sequence[FunctionRevision], course: Course, field: str
) -> list[tuple[str, float]]:
    """The course of a configured number over the range: where it began, each change of it, where it ended."""
    first, last = course.ends()
    changes = [(happened(row), row.changes[field]) for row in revisions if field in row.changes]
    later: list[tuple[datetime, list[Any]]] = [change for change in changes if change[0] >= course.period.start]
    value = later[0][1][0] if later else getattr(function, field)
    steps = [(first, float(value))]
    for at, (_before, after) in later:
        if at < course.period.end:
            steps.append((_place(at, course), float(after)))
    return [*steps, (last, steps[-1][1])]


def _place(at: datetime, course: Course) -> str:
    """A moment on the x axis: the viewer's clock among hours, UTC among UTC days."""
    return x_of(at) if course.hourly else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M}"
