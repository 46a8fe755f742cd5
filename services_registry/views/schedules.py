"""Pages of schedules: the list with the engine's limit, one schedule with its runs, and what operators can do to them."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from core.access import operator_required
from core.errors import RefusedError
from core.pagination import KeysetPage
from services_registry import capabilities
from services_registry.batches import schedules
from services_registry.batches.engine_limit import change_engine_limit, engine_limit
from services_registry.choices import TONES, RunResult
from services_registry.models import BatchSchedule
from services_registry.schedule_forms import EngineLimitForm

HOUR, DAY = 60, 1440


@require_GET
def schedule_list(request: HttpRequest) -> HttpResponse:
    return _list(request)


def _list(request: HttpRequest, form: EngineLimitForm | None = None) -> HttpResponse:
    page = KeysetPage.of(schedules.schedules_with_results(), order=["name", "id"], request=request)
    for schedule in page.rows:
        _dress(schedule)
    engine = engine_limit()
    context = {
        "page": page,
        "engine": engine,
        "engine_form": form or EngineLimitForm(initial={"concurrency": engine.limit}),
    }
    status = 400 if form and form.errors else 200
    return render(request, "services_registry/schedule_list.html", context, status=status)


@require_GET
def schedule_detail(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = get_object_or_404(schedules.schedules_with_results().select_related("owner"), pk=pk)
    page = KeysetPage.of(schedule.runs.select_related("batch"), order=["-due", "-id"], request=request)
    for run in page.rows:
        _dress_run(run)
    context = {
        "schedule": _dress(schedule),
        "page": page,
        "selection": json.dumps(schedule.selection, ensure_ascii=False),
        "options": json.dumps(schedule.context, ensure_ascii=False) if schedule.context else "",
    }
    return render(request, "services_registry/schedule_detail.html", context)


@operator_required
@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = get_object_or_404(BatchSchedule, pk=pk)
    if schedules.pause_schedule(schedule, actor=request.user, source="page"):
        messages.success(request, _("Paused. It starts nothing until it is resumed."))
    return redirect("schedule-detail", pk=pk)


@operator_required
@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = get_object_or_404(BatchSchedule, pk=pk)
    if schedules.resume_schedule(schedule, actor=request.user, source="page"):
        messages.success(request, _("Resumed. It goes on with the next time of its timetable."))
    return redirect("schedule-detail", pk=pk)


@operator_required
@require_POST
def start_now(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends on the page of the batch it started; otherwise on the schedule, with the reason."""
    schedule = get_object_or_404(BatchSchedule, pk=pk)
    try:
        run = schedules.run_now(schedule, actor=request.user, source="page")
    except RefusedError as refusal:
        messages.error(request, refusal.message)
        return redirect("schedule-detail", pk=pk)
    if run.batch_id:
        return redirect("batch-detail", pk=run.batch_id)
    messages.info(request, run.note) if run.result == RunResult.EMPTY else messages.error(request, run.note)
    return redirect("schedule-detail", pk=pk)


@operator_required
@require_POST
def engine(request: HttpRequest) -> HttpResponse:
    form = EngineLimitForm(request.POST)
    if not form.is_valid():
        return _list(request, form)
    asked = form.cleaned_data
    if change_engine_limit(asked["concurrency"], actor=request.user, source="page", reason=asked["reason"]):
        messages.success(request, _("The limit is %(limit)d now.") % {"limit": asked["concurrency"]})
    else:
        messages.info(request, _("The limit was that already; nothing was changed."))
    return redirect("schedule-list")


def _dress(schedule: Any) -> Any:
    """Give the row what its template shows: the work, interval and result in words, and when it starts next."""
    known = {kind.slug: kind.label for kind in capabilities.all_capabilities()}
    schedule.work = known.get(schedule.capability, schedule.capability)
    schedule.every = _every_words(schedule.every_minutes)
    schedule.next_start = schedules.starts_at(schedule) if schedule.active else None
    if schedule.last_result:
        schedule.last_label = RunResult(schedule.last_result).label
        schedule.last_tone = TONES.get(schedule.last_result, "red")
    return schedule


def _dress_run(run: Any) -> None:
    run.tone = TONES.get(run.result, "red")
    if run.batch:
        run.batch.tone = TONES.get(run.batch.state, "secondary")


def _every_words(minutes: int) -> str:
    if minutes % DAY == 0:
        return ngettext("%d day", "%d days", minutes // DAY) % (minutes // DAY)
    if minutes % HOUR == 0:
        return _("%d h") % (minutes // HOUR)
    return _("%d min") % minutes
