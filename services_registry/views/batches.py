"""The page of one batch: whole, and the parts of it that are fetched again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.htmx import is_fragment, vary_on_fragment
from services_registry import batch_page as page
from services_registry.batch_charts import duration_figure
from services_registry.batches import durations
from services_registry.batches.target import function_row
from services_registry.choices import TONES
from services_registry.models import Batch

TABLES = "batch-tables"
"""The id of the part with the tables; a request for a fragment without it asks for the moving part."""


@require_GET
def batch_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page; for htmx the moving part, or (by HX-Target) the tables. One address, so that links in them agree."""
    # A selection can name 50,000 keys; nobody reads it here.
    batch = get_object_or_404(Batch.objects.select_related("parent", "schedule").defer("selection"), pk=pk)
    if not is_fragment(request):
        tables = page.tables_later(request, batch) or page.tables_context(request, batch)
        context = page.head_context(batch) | page.live_context(batch) | tables
        response = render(request, "services_registry/batch_detail.html", context)
    elif request.headers.get("HX-Target") == TABLES:
        response = render(request, "services_registry/_batch_tables.html", page.tables_context(request, batch))
    else:
        response = _poll(request, batch)
    return vary_on_fragment(response)


def _poll(request: HttpRequest, batch: Batch) -> HttpResponse:
    """The moving part; once its state has changed also the buttons, and an event at which the tables are refreshed."""
    live = page.live_context(batch, seen=request.GET.get("seen", ""))
    if not live["changed"]:
        return render(request, "services_registry/_batch_poll.html", live)
    response = render(request, "services_registry/_batch_poll.html", page.action_context(batch) | live)
    response["HX-Trigger"] = "batch-changed"
    return response


@require_GET
def batch_chunk(request: HttpRequest, pk: UUID, position: int) -> HttpResponse:
    """Everything about one chunk, for the row that is opened."""
    batch = get_object_or_404(Batch, pk=pk)
    chunk = get_object_or_404(batch.chunks, position=position)
    if not is_fragment(request):
        return redirect(f"{reverse('batch-detail', args=[pk])}?chunk={position + 1}#chunks")
    context = {"batch": batch, "chunk": page.opened(chunk, timezone.now())}
    return vary_on_fragment(render(request, "services_registry/_batch_chunk.html", context))


@require_GET
def batch_durations(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Fragment: the histogram, percentiles against the plan, the slowest chunks and items."""
    batch = get_object_or_404(Batch, pk=pk)
    chunks, items = durations.chunk_durations(batch), durations.item_durations(batch)
    planned, function = page.planned_durations(batch), function_row(batch.function_name, batch.region)
    lines = {_("planned p50"): planned["chunk_p50"], _("planned p95"): planned["chunk_p95"]}
    now = timezone.now()
    for item in items.slowest:
        item.tone = TONES.get(item.state, "secondary")  # type: ignore[attr-defined]  # for the template
    context: dict[str, Any] = {
        "batch": batch,
        "page_url": reverse("batch-detail", args=[pk]),
        "chunks": chunks,
        "slowest": [page.dressed(chunk, now) for chunk in chunks.slowest],
        "items": items,
        "plan": planned,
        "figure": duration_figure(
            chunks,
            timeout_ms=function.timeout_s * 1000.0 if function else None,
            planned={name: ms for name, ms in lines.items() if ms},
        ),
        "title": _("How close do invocations come to the time-out?"),
        "source": page.durations_source(chunks),
    }
    return render(request, "services_registry/_batch_durations.html", context)
