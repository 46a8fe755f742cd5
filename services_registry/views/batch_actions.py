"""What a person can do to a batch: pause, resume, adjust, cancel, retry. Each is a POST with a reason.

Cancelling and retrying say by GET what they will touch, as a page or inside the menu of the batch's page.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from core.access import operator_required
from core.errors import RefusedError
from core.htmx import is_fragment, vary_on_fragment
from services_registry import batch_redrive, batches
from services_registry import batch_words as words
from services_registry.batch_action_forms import AdjustForm, ReasonForm
from services_registry.batch_page import cancel_context
from services_registry.models import Batch

ACTION_PAGE = "services_registry/batch_action.html"


def _asked(request: HttpRequest) -> dict[str, Any]:
    """The reason and the key against double clicks, as far as they are valid."""
    form = ReasonForm(request.POST)
    form.is_valid()
    return getattr(form, "cleaned_data", {})


@operator_required
@require_POST
def pause(request: HttpRequest, pk: UUID) -> HttpResponse:
    batch = get_object_or_404(Batch, pk=pk)
    reason = _asked(request).get("reason", "")
    if batches.pause_batch(batch, actor=request.user, source="page", reason=reason):
        messages.success(request, _("Paused. Nothing new is invoked; %s") % words.quiet(batches.under_way(batch)))
    else:
        messages.info(request, _("It was not running any more, so there was nothing to pause."))
    return redirect("batch-detail", pk=pk)


@operator_required
@require_POST
def resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    batch = get_object_or_404(Batch, pk=pk)
    reason = _asked(request).get("reason", "")
    if batches.resume_batch(batch, actor=request.user, source="page", reason=reason):
        messages.success(request, _("Resumed: the waiting chunks are handed out again."))
    else:
        messages.info(request, _("It was neither paused nor halted, so there was nothing to resume."))
    return redirect("batch-detail", pk=pk)


@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def adjust(request: HttpRequest, pk: UUID) -> HttpResponse:
    batch = get_object_or_404(Batch, pk=pk)
    if request.method != "POST":
        return _adjust_form(request, batch, AdjustForm.of(batch))
    form = AdjustForm(request.POST, auto_id="adjust_%s")
    if not form.is_valid():
        return _adjust_form(request, batch, form, status=400)
    try:
        batches.adjust_batch(batch, actor=request.user, source="page", **form.cleaned_data)
    except RefusedError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Adjusted. It holds from the next invocation on."))
    return redirect("batch-detail", pk=pk)


def _adjust_form(request: HttpRequest, batch: Batch, form: AdjustForm, status: int = 200) -> HttpResponse:
    context = {"batch": batch, "heading": _("Adjust"), "form": form, "button": _("Adjust from the next invocation on")}
    template = "services_registry/_batch_adjust.html" if is_fragment(request) else ACTION_PAGE
    return vary_on_fragment(render(request, template, context, status=status))


@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    batch = get_object_or_404(Batch, pk=pk)
    if request.method != "POST":
        return _cancel_preview(request, batch)
    if batches.cancel_batch(batch, actor=request.user, source="page", reason=_asked(request).get("reason", "")):
        busy = batches.under_way(batch)
        messages.success(request, _("Cancelled. Nothing new is invoked; %s") % words.quiet(busy))
    else:
        messages.info(request, _("This batch was finished or cancelled already."))
    return redirect("batch-detail", pk=pk)


def _cancel_preview(request: HttpRequest, batch: Batch) -> HttpResponse:
    context = cancel_context(batch)
    facts = "services_registry/_batch_cancel.html"
    if is_fragment(request):
        return vary_on_fragment(render(request, facts, context))
    context |= {"heading": _("Cancel"), "facts": facts, "button": _("Cancel the rest"), "button_class": "btn-danger"}
    context["form"] = ReasonForm() if context["open"] else None
    return vary_on_fragment(render(request, ACTION_PAGE, context))


@operator_required
@require_http_methods(["GET", "HEAD", "POST"])
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    batch = get_object_or_404(Batch, pk=pk)
    if request.method != "POST":
        return render(request, ACTION_PAGE, batch_redrive.context_of(batch))
    asked = _asked(request)
    key = asked.get("idempotency_key") or None
    try:
        child = batches.retry_failed(
            batch, actor=request.user, source="page", reason=asked.get("reason", ""), idempotency_key=key
        )
    except RefusedError as error:
        messages.error(request, error.message)
        return redirect("batch-detail", pk=pk)
    said = ngettext("%d failed item is tried again.", "%d failed items are tried again.", child.total)
    messages.success(request, said % child.total)
    return redirect("batch-detail", pk=child.pk)
