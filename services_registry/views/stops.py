"""Stopping a function and restoring it: each first shows what it will do, and then asks why."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.access import permission_needed
from services_registry.choices import StopState
from services_registry.finding_forms import RestoreForm, StopForm
from services_registry.guardrails.restore import preview_restore, reserved_text, restore_function
from services_registry.guardrails.stop import StopError, active_stop, preview_stop, stop_function
from services_registry.models import Function, StopRecord

STOP_PERMISSION = "services_registry.stop_function"
stopper_required = permission_needed(
    STOP_PERMISSION,
    lambda: _("Stopping and restoring functions needs the ops lead role. Ask an administrator, or call the ops lead."),
)


@stopper_required
@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows what a stop would do now; POST does it. Of a stop that is complete nothing is done again."""
    function = get_object_or_404(Function, pk=pk)
    record = active_stop(function)
    if record is not None and record.state != StopState.STOPPING:
        return redirect("function-restore", pk=pk)
    try:
        preview = preview_stop(function)
        loses = any(one.lost for one in preview.consequences)
        form = StopForm(request.POST or None, expected=function.name if loses else "", initial=_reason_of(record))
        if form.is_valid():
            return _stopped(request, stop_function(function, reason=form.cleaned_data["reason"], actor=request.user))
    except StopError as refusal:
        return _refused(request, function, refusal)
    context = {
        "function": function, "preview": preview, "form": form, "record": record,
        "reserved": reserved_text(preview.live.reserved),
    }  # fmt: skip
    return render(request, "services_registry/function_stop.html", context, status=400 if form.errors else 200)


@stopper_required
@require_http_methods(["GET", "POST"])
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows the difference; POST makes it."""
    function = get_object_or_404(Function, pk=pk)
    form = RestoreForm(request.POST or None)
    try:
        if form.is_valid():
            return _restored(
                request, restore_function(function, reason=form.cleaned_data["reason"], actor=request.user)
            )
        preview = preview_restore(function)
    except StopError as refusal:
        return _refused(request, function, refusal)
    context = {"function": function, "preview": preview, "form": form, "record": preview.record}
    return render(request, "services_registry/function_restore.html", context, status=400 if form.errors else 200)


def _reason_of(record: StopRecord | None) -> dict[str, str]:
    return {"reason": record.reason} if record else {}


def _stopped(request: HttpRequest, record: StopRecord) -> HttpResponse:
    if record.problems:
        messages.error(request, _("It is stopped in part only. See below what is missing, and try again."))
        return redirect("function-stop", pk=record.function_id)
    messages.success(request, _("Stopped: nothing new begins. What runs ends by itself."))
    return redirect("function-detail", pk=record.function_id)


def _restored(request: HttpRequest, record: StopRecord) -> HttpResponse:
    if record.state == StopState.RESTORING:
        messages.error(request, _("It is restored in part only. See below what is missing, and try again."))
        return redirect("function-restore", pk=record.function_id)
    messages.success(request, _("Restored."))
    return redirect("function-detail", pk=record.function_id)


def _refused(request: HttpRequest, function: Function, refusal: StopError) -> HttpResponse:
    context = {"function": function, "refusal": refusal.message}
    return render(request, "services_registry/function_stop_refused.html", context, status=refusal.status)
