"""What people take away: lists as CSV, results as one archive. All of it is streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.csv_stream import csv_response
from core.zip_stream import zip_response
from services_registry.batch_filters import BatchFilter
from services_registry.batches.results import archive_entries, has_files
from services_registry.choices import ItemState
from services_registry.models import Batch

ROWS_AT_ONCE = 2_000
LIST_COLUMNS = (
    "id", "title", "state", "state_note", "capability", "function_name", "source", "created_by_name", "reason",
    "created", "finished", "total", "succeeded", "failed", "cancelled", "parent_id", "schedule__name",
)  # fmt: skip
LIST_HEADER = [
    "batch", "title", "state", "note", "work", "function", "source", "started_by", "reason", "started", "finished",
    "items", "succeeded", "failed", "cancelled", "retry_of", "schedule", "seconds",
]  # fmt: skip
ITEM_COLUMNS = (
    "position", "key", "label", "state", "outcome", "error_type", "error_message", "settled", "duration_ms",
    "chunk__position", "chunk__request_id", "chunk__attempt", "chunk__seconds", "chunk__duration_ms",
    "chunk__billed_ms",
)  # fmt: skip
ITEM_HEADER = [
    "number", "key", "item", "state", "outcome", "error_type", "error_message", "settled", "item_ms", "chunk",
    "request_id", "chunk_attempts", "chunk_seconds", "chunk_ms", "chunk_billed_ms",
]  # fmt: skip


@require_GET
def list_csv(request: HttpRequest) -> HttpResponseBase:
    """The list as it is filtered now, without pages."""
    filters = BatchFilter(request.GET, queryset=Batch.objects.order_by("-created", "-id"), request=request)
    if not filters.is_valid():
        words = "\n".join(str(error) for errors in filters.errors.values() for error in errors)
        return HttpResponse(words, status=400, content_type="text/plain; charset=utf-8")
    rows = filters.qs.values_list(*LIST_COLUMNS).iterator(chunk_size=ROWS_AT_ONCE)
    name = f"batches-{timezone.localdate():%Y-%m-%d}.csv"
    return csv_response(name, LIST_HEADER, (_with_seconds(row) for row in rows))


def _with_seconds(row: tuple[Any, ...]) -> tuple[Any, ...]:
    started, finished = row[9], row[10]
    return (*row, round((finished - started).total_seconds(), 3) if finished else None)


@require_GET
def items_csv(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Every item of one batch, or those in one state, with how their chunk went."""
    batch = get_object_or_404(Batch, pk=pk)
    items = batch.items.order_by("position")
    state = request.GET.get("state", "")
    if state and state not in ItemState.values:
        words = _("There is no item state “%(state)s”. Possible: %(known)s.")
        words %= {"state": state, "known": ", ".join(ItemState.values)}
        return HttpResponse(words, status=400, content_type="text/plain; charset=utf-8")
    if state:
        items = items.filter(state=state)
    rows = items.values_list(*ITEM_COLUMNS).iterator(chunk_size=ROWS_AT_ONCE)
    return csv_response(f"{file_stem(batch)}-items.csv", ITEM_HEADER, _numbered(rows))


def _numbered(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Items and chunks are counted from 1, as on the page."""
    chunk = ITEM_COLUMNS.index("chunk__position")
    for row in rows:
        number = None if row[chunk] is None else row[chunk] + 1
        yield (row[0] + 1, *row[1:chunk], number, *row[chunk + 1 :])


@require_GET
def results_zip(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return results_response(get_object_or_404(Batch, pk=pk))


def results_response(batch: Batch) -> StreamingHttpResponse:
    """All result files of a batch as one archive, also while it runs: then of what is done so far.

    Raises:
        Http404: there is none.
    """
    if not has_files(batch):
        raise Http404(_("No item of this batch brought a file, or the files were deleted."))
    return zip_response(f"{file_stem(batch)}.zip", archive_entries(batch))


def file_stem(batch: Batch) -> str:
    """Readable, and told apart from the same work on another day: `render-delivery-notes-2026-11-23-1a2b3c4d`."""
    title = slugify(batch.title)[:60].strip("-") or "batch"
    return f"{title}-{batch.created:%Y-%m-%d}-{batch.pk.hex[:8]}"
