"""What the page of a function shows over its one time range."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from core.timerange import LONGEST, TimeRange, time_range
from services_registry import payloads
from services_registry.callers import callers_of
from services_registry.choices import TONES
from services_registry.function_changes import readable_changes
from services_registry.function_charts import charts_of, marks_of, revisions_since
from services_registry.function_facts import summed
from services_registry.function_notes import notes_of
from services_registry.invocations import OUTCOMES, Asked, with_logs
from services_registry.models import Batch, Chunk, Function, FunctionRevision
from services_registry.selectors import course_of, metrics_of

USUAL = "30d"
LATEST = 10
BY_DAYS = timedelta(days=8)
MOST_NOTES = 50
SHOWN_ANSWER = 4_000
HEAVY = ("selection", "context", "payload", "plan")


def page_of(function: Function, request: HttpRequest) -> dict[str, Any]:
    """Charts, sums, invocations, callers and revisions, for the address that was asked for."""
    period = time_range(request.GET, default=USUAL)
    comparing = bool(request.GET.get("compare"))
    course = course_of(function, period)
    before = course_of(function, period.before(), hourly=course.hourly) if comparing else None
    revisions = revisions_since(function, period.start)
    marks = marks_of(revisions, course)
    return {
        "function": function, "comparing": comparing, "wider": wider(period),
        "facts": summed([function], period)[0],
        "charts": charts_of(function, course, before, revisions, metrics_of(function, course)), "step": course.step,
        "links": f"{_address(function, period, comparing)}&at=",
        "sample": any(point.sample for point in course.points.values()),
        "marks": list(reversed(marks)), "revisions": _worded(function, [mark.revision for mark in marks]),
        **invocations_of(function, request), "callers": callers_of(function),
        "batches": [_toned(batch) for batch in _batches(function).exclude(capability="")[:LATEST]],
        "runs": runs_of(function), "payloads": payloads.visible_to(request.user, function),
        "deleted_payload": payloads.just_deleted(request.user, function),
        "payload": request.GET.get("payload", ""), **notes_part(function, request),
    }  # fmt: skip


def notes_part(function: Function, request: HttpRequest) -> dict[str, Any]:
    """The latest notes, with the one that is being edited."""
    notes = list(notes_of(function, request.user)[: MOST_NOTES + 1])
    edited = request.GET.get("edit_note", "")
    return {
        "notes": notes[:MOST_NOTES], "more_notes": len(notes) > MOST_NOTES,
        "edited_note": int(edited) if edited.isdecimal() else None,
    }  # fmt: skip


def runs_of(function: Function) -> list[dict[str, Any]]:
    """The latest single runs with what they were answered. Two queries."""
    batches = list(_batches(function).filter(capability="", total=1)[:LATEST])
    answers = {
        chunk.batch_id: chunk
        for chunk in Chunk.objects.filter(batch__in=batches, position=0)
        .only("batch_id", "outcome", "response", "duration_ms", "error_type", "error_message")
    }  # fmt: skip
    return [{"batch": _toned(batch), **_answer_of(answers.get(batch.pk))} for batch in batches]


def _answer_of(chunk: Chunk | None) -> dict[str, Any]:
    if chunk is None:
        return {"chunk": None, "answer": ""}
    answer = "" if chunk.response is None else json.dumps(chunk.response, indent=2, ensure_ascii=False)
    return {"chunk": chunk, "answer": answer[:SHOWN_ANSWER], "cut": len(answer) > SHOWN_ANSWER}


def _batches(function: Function) -> QuerySet[Batch]:
    """Of this function, latest first; those without a region ran in the platform's own."""
    return Batch.objects.filter(function_name=function.name, region__in=["", function.region]).defer(*HEAVY)


def invocations_of(function: Function, request: HttpRequest) -> dict[str, Any]:
    """The list of single invocations with its filters."""
    period = time_range(request.GET, default=USUAL)
    asked = Asked.of(function, period, request.GET)
    here = reverse("function-detail", args=[function.pk])  # a refused form shows the page at another address
    page = asked.page(request.GET.get("cursor", "")).linked(request)
    page.next_link, page.previous_link = (
        link.replace(request.path, here, 1) for link in (page.next_link, page.previous_link)
    )
    return {
        "function": function, "here": here, "period": period, "asked": asked, "outcomes": OUTCOMES, "invocation_page": page,
        "invocations": with_logs(page.rows, function), "report_days": settings.REPORT_DAYS,
    }  # fmt: skip


def _address(function: Function, period: TimeRange, comparing: bool) -> str:
    return f"{reverse('function-detail', args=[function.pk])}?{period.query}{'&compare=1' if comparing else ''}"


def wider(period: TimeRange) -> str:
    """The query of twice the range around the same middle, in whole hours or days, up to now; empty at the longest."""
    length = period.length * 2
    if length > LONGEST:
        return ""
    end = min(period.end + period.length / 2, timezone.now())
    start = timezone.localtime(end - length)
    begin = start.replace(minute=0, second=0, microsecond=0)
    if length > BY_DAYS:
        begin = begin.replace(hour=0)
    return TimeRange(begin.astimezone(UTC), end.replace(second=0, microsecond=0), "custom", "").query


def _toned(batch: Batch) -> Batch:
    batch.tone = TONES.get(batch.state, "secondary")  # type: ignore[attr-defined]  # for the template
    return batch


def _worded(function: Function, inside: Iterable[FunctionRevision]) -> list[dict[str, Any]]:
    """The latest revisions and those that the charts mark, latest first."""
    rows = {row.pk: row for row in [*function.revisions.all()[:LATEST], *inside]}
    ordered = sorted(rows.values(), key=lambda row: (row.seen, row.pk), reverse=True)
    return [{"revision": row, "changes": readable_changes(row)} for row in ordered]
