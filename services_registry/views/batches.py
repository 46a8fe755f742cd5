"""Pages of batches: the list, one batch, the plan before a start, and what a person can do to a batch."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from core import formats
from core.access import operator_required
from core.errors import RefusedError
from core.htmx import is_fragment, vary_on_fragment
from core.pagination import KeysetPage
from services_registry import capabilities
from services_registry.batch_filters import BatchFilter
from services_registry.batch_forms import ReasonForm, StartForm, new_key, selection_of
from services_registry.batches import cancel_batch, plan_batch, retry_failed, start_batch
from services_registry.batches.progress import progress_of
from services_registry.choices import TONES, BatchState, ItemState
from services_registry.models import Batch, BatchItem

SHOWN_CHUNKS = 100
SHOWN_ITEMS = 50
IN_PANEL = 6
SHOWN_RESPONSE = 20_000


@require_GET
def batch_list(request: HttpRequest) -> HttpResponse:
    filters = BatchFilter(request.GET, queryset=Batch.objects.all())
    page = KeysetPage.of(filters.qs, order=["-created", "-id"], request=request)
    for batch in page.rows:
        _dress(batch)
    context = {"page": page, "filters": filters, "filtered": any(request.GET.get(n) for n in filters.form.fields)}
    return render(request, "services_registry/batch_list.html", context)


@require_GET
def batch_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page, and for htmx its moving part. A poll that finds the batch finished reloads the page, once."""
    batch = get_object_or_404(Batch.objects.select_related("parent"), pk=pk)
    context = _detail_context(request, batch)
    if not is_fragment(request):
        return vary_on_fragment(render(request, "services_registry/batch_detail.html", context))
    response = render(request, "services_registry/_batch_live.html", context)
    if context["progress"].final:
        response["HX-Refresh"] = "true"
    return vary_on_fragment(response)


def _detail_context(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    state = request.GET.get("state", "")
    items: QuerySet[BatchItem] = batch.items.select_related("chunk")
    if state in ItemState.values:
        items = items.filter(state=state)
    page = KeysetPage.of(items, order=["position"], request=request, size=SHOWN_ITEMS)
    for item in page.rows:
        item.tone = TONES.get(item.state, "secondary")  # type: ignore[attr-defined]  # for the template
    _dress(batch)
    return {
        "batch": batch,
        "progress": batch.progress,  # type: ignore[attr-defined]  # set by _dress
        "chunks": _chunks(batch),
        "shown_chunks": SHOWN_CHUNKS,
        "items": page,
        "item_state": state,
        "item_states": ItemState.choices,
        "children": batch.children.order_by("created")[:20],
        "cancel_form": ReasonForm(auto_id="cancel_%s"),
        "retry_form": ReasonForm(initial={"idempotency_key": new_key()}, auto_id="retry_%s"),
        "live_url": request.get_full_path(),
    }


def _chunks(batch: Batch) -> list[Any]:
    """The first chunks, with how many items they hold and how many of them failed."""
    chunks = batch.chunks.annotate(
        item_count=Count("items"), failed_count=Count("items", filter=Q(items__state=ItemState.FAILED))
    )
    rows = list(chunks.order_by("position")[:SHOWN_CHUNKS])
    for chunk in rows:
        _dress_chunk(chunk)
    return rows


def _dress_chunk(chunk: Any) -> None:
    chunk.tone = TONES.get(chunk.outcome, "green")
    if chunk.response is not None:
        chunk.shown_response = json.dumps(chunk.response, indent=2, ensure_ascii=False)[:SHOWN_RESPONSE]


def _dress(batch: Any) -> Any:
    """Give the row what its template shows: progress, tone, remaining time in words."""
    progress = progress_of(batch)
    batch.progress = progress
    batch.tone = "yellow" if batch.state == BatchState.DONE and batch.failed else TONES.get(batch.state, "secondary")
    batch.work = _label(batch.capability)
    batch.eta = ""
    if progress.eta_s is not None:
        batch.eta = _("about %(time)s left") % {"time": formats.duration_ms_text(progress.eta_s * 1000)}
    batch.elapsed = formats.duration_ms_text(progress.elapsed_s * 1000)
    return batch


def _label(slug: str) -> str:
    known = {kind.slug: str(kind.label) for kind in capabilities.all_capabilities()}
    return known.get(slug, slug) or _("single run")


@operator_required
@require_POST
def plan(request: HttpRequest) -> HttpResponse:
    """What would be started, with the confirmation below it."""
    capability = request.POST.get("capability") or request.POST.get("action", "")
    try:
        selection = selection_of(request.POST)
        planned = plan_batch(capability, selection)
    except RefusedError as error:
        return _refused_plan(request, error)
    form = StartForm(
        initial={
            "capability": capability,
            "selection": selection,
            "context": _json_or_nothing(request.POST.get("context", "")),
            "idempotency_key": new_key(),
        }
    )
    return render(request, "services_registry/batch_plan.html", {"plan": planned, "form": form})


def _refused_plan(request: HttpRequest, error: RefusedError) -> HttpResponse:
    context = {"problem": error.message, "back": request.headers.get("referer", "")}
    return render(request, "services_registry/batch_plan.html", context, status=error.status)


def _json_or_nothing(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return {}


@operator_required
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    form = StartForm(request.POST)
    if not form.is_valid():
        return render(request, "services_registry/batch_plan.html", {"form": form, "plan": None}, status=400)
    asked = form.cleaned_data
    try:
        batch = start_batch(
            capability=asked["capability"],
            selection=asked["selection"],
            context=asked["context"],
            reason=asked["reason"],
            idempotency_key=asked["idempotency_key"],
            actor=request.user,
            source="page",
        )
    except RefusedError as error:
        return _refused_plan(request, error)
    return redirect("batch-detail", pk=batch.pk)


@operator_required
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    batch = get_object_or_404(Batch, pk=pk)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    if cancel_batch(batch, actor=request.user, source="page", reason=reason):
        messages.success(request, _("Cancelled. Invocations already under way end in their own time."))
    else:
        messages.info(request, _("This batch was finished or cancelled already."))
    return redirect("batch-detail", pk=batch.pk)


@operator_required
@require_POST
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    batch = get_object_or_404(Batch, pk=pk)
    form = ReasonForm(request.POST)
    asked = form.cleaned_data if form.is_valid() else {}
    try:
        child = retry_failed(
            batch,
            actor=request.user,
            source="page",
            reason=asked.get("reason", ""),
            idempotency_key=asked.get("idempotency_key") or None,
        )
    except RefusedError as error:
        messages.error(request, error.message)
        return redirect("batch-detail", pk=batch.pk)
    count = child.total
    words = ngettext("%d failed item is tried again.", "%d failed items are tried again.", count)
    messages.success(request, words % count)
    return redirect("batch-detail", pk=child.pk)


@require_GET
def home_panel(request: HttpRequest) -> HttpResponse:
    """Batches that run, and those of late in which something failed."""
    running = list(Batch.objects.filter(state=BatchState.RUNNING).order_by("-created")[:IN_PANEL])
    failed = list(
        Batch.objects.filter(state=BatchState.DONE, failed__gt=0).order_by("-created")[: IN_PANEL - len(running[:3])]
    )
    context = {"running": [_dress(batch) for batch in running], "failed": [_dress(batch) for batch in failed]}
    return render(request, "services_registry/_batch_panel.html", context)
