"""What the page of one batch shows, part by part: the head, the moving part, the tables."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import target_of
from core.models import AuditEntry
from core.pagination import KeysetPage
from services_registry import batch_words as words
from services_registry.batches import insight, under_way
from services_registry.batches.durations import CHUNKS_READ, ChunkDurations
from services_registry.batches.progress import progress_of
from services_registry.batches.results import offers_files
from services_registry.choices import OPEN_BATCHES, TONES, BatchState, ChunkState, ItemState
from services_registry.models import Batch, Chunk

SHOWN_CHUNKS = 15
SHOWN_ITEMS = 25
SHOWN_DEEDS = 12
TABLE_PARAMETERS = {"state", "error", "chunk", "chunks", "from", "cursor"}
SHOWN_RESPONSE = 20_000
TABLES_EVERY_S = 10
CHUNK_VIEWS = ("trouble", "running", "all")


def state_key(batch: Batch) -> str:
    """What the buttons depend on; when it changes while somebody looks, they are replaced."""
    return f"{batch.state}-cancelling" if batch.cancel_requested else batch.state


def live_context(batch: Batch, seen: str = "") -> dict[str, Any]:
    """The polled part. Bounded reads only (see `insight`). `seen` is the state that the browser shows now."""
    now = timezone.now()
    recent = insight.pace_of(batch, now) if batch.state == BatchState.RUNNING else None
    progress = progress_of(batch, now, pace=recent)
    busy, census = under_way(batch), insight.census_of(batch, now)
    key = state_key(batch)
    return {
        "batch": batch,
        "progress": progress,
        "watched": not progress.final or busy.count > 0,
        "tone": words.batch_tone(batch),
        "elapsed": words.elapsed(progress),
        "eta": words.remaining(progress, now),
        "pace": words.pace_words(recent) if recent else "",
        "overall": words.speed(progress.overall) if progress.overall and batch.total > 1 else "",
        "census": census,
        "next_try": words.clock(census.next_try) if census.next_try else "",
        "busy": busy,
        "quiet_at": words.clock(busy.quiet_at) if busy.quiet_at else "",
        "seen": key,
        "changed": bool(seen) and seen != key,
    }


def head_context(batch: Batch) -> dict[str, Any]:
    """What stays as it is: who, why, from where; and what may be done."""
    return {
        "batch": batch,
        "work": words.work_label(batch.capability),
        "children": batch.children.order_by("created")[:20],
        **action_context(batch),
    }


def action_context(batch: Batch) -> dict[str, Any]:
    is_open = batch.state in OPEN_BATCHES and not batch.cancel_requested
    return {
        "can_pause": is_open and batch.state == BatchState.RUNNING,
        "can_resume": is_open and batch.state in (BatchState.PAUSED, BatchState.HALTED),
        "was_halted": batch.state == BatchState.HALTED,
        "can_change": is_open,
        "can_retry": batch.state not in OPEN_BATCHES and batch.failed > 0,
    }


def cancel_context(batch: Batch) -> dict[str, Any]:
    """What a cancel would do now."""
    busy, census = under_way(batch), insight.census_of(batch, timezone.now())
    return {
        "batch": batch,
        "open": batch.state in OPEN_BATCHES and not batch.cancel_requested,
        "not_begun": max(0, batch.pending - census.unfinished_items),
        "busy": busy,
        "quiet_at": words.clock(busy.quiet_at) if busy.quiet_at else "",
    }


def tables_later(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    """For a batch under way whose address asks for nothing in its tables: they come in a moment, the counters now.

    Empty when they belong into the page.
    """
    asked = TABLE_PARAMETERS & set(request.GET)
    if asked or batch.state not in OPEN_BATCHES or batch.total <= 1:
        return {}
    return {"tables_url": request.get_full_path(), "later": True, "single": False}


def tables_context(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    """What went wrong, the chunks to look at first, the items; as the address asks."""
    now = timezone.now()
    single = batch.total <= 1 and not batch.capability
    chunk = batch.chunks.first() if single else _asked_chunk(request, batch)
    view, chunks, pages = _chunks(request, batch, chunk)
    return {
        "batch": batch,
        "tables_url": request.get_full_path(),
        "tables_every_s": TABLES_EVERY_S if batch.state in OPEN_BATCHES else 0,
        "errors": insight.errors_of(batch),
        "deeds": _deeds(batch),
        "single": single,
        "chunk": chunk and opened(chunk, now),
        "chunk_view": view,
        "chunks": [dressed(row, now) for row in chunks],
        "chunk_pages": pages,
        "more_chunks": pages is None and len(chunks) == SHOWN_CHUNKS,
        **_items(request, batch, chunk),
    }


def _asked_chunk(request: HttpRequest, batch: Batch) -> Chunk | None:
    number = request.GET.get("chunk", "")
    return batch.chunks.filter(position=int(number) - 1).first() if number.isdigit() and len(number) < 9 else None


def _chunks(
    request: HttpRequest, batch: Batch, chunk: Chunk | None
) -> tuple[str, list[Chunk], KeysetPage[Chunk] | None]:
    """(which view, its rows, its pages): those in trouble first, else those under way, else all by number."""
    if chunk is not None:
        return "one", [chunk], None
    asked = request.GET.get("chunks", "")
    if asked in ("", "trouble"):
        rows = insight.chunks_in_trouble(batch, SHOWN_CHUNKS)
        if rows or asked:
            return "trouble", rows, None
    if asked in ("", "running"):
        rows = insight.chunks_under_way(batch, SHOWN_CHUNKS)
        if rows or asked:
            return "running", rows, None
    chunks = batch.chunks.defer(*insight.LIGHT)
    pages = KeysetPage.of(chunks, order=["position"], request=request, size=SHOWN_CHUNKS, param="from")
    _jump(pages, "#chunks")
    return "all", pages.rows, pages


def dressed(chunk: Any, now: datetime) -> Any:
    """Give the row its words and tone."""
    chunk.words, chunk.tone = words.verdict(chunk, now)
    chunk.since = chunk.started if chunk.state in (ChunkState.RUNNING, ChunkState.CHECKING) else None
    chunk.measured_ms = chunk.duration_ms or (chunk.seconds * 1000 if chunk.seconds is not None else None)
    return chunk


def opened(chunk: Any, now: datetime) -> Any:
    """A row with its answer as text, for where everything of one chunk is shown."""
    dressed(chunk, now)
    if chunk.response is not None:
        chunk.shown_response = json.dumps(chunk.response, indent=2, ensure_ascii=False)[:SHOWN_RESPONSE]
    return chunk


def _items(request: HttpRequest, batch: Batch, chunk: Chunk | None) -> dict[str, Any]:
    state, error = request.GET.get("state", ""), request.GET.get("error", "")
    items = insight.items_in_state(batch, ItemState.FAILED if error else state)
    if error:
        items = items.filter(error_type=error)
    if chunk is not None:
        items = items.filter(chunk=chunk)
    left_out = [f"chunk__{name}" for name in insight.LIGHT]
    light = items.select_related("chunk").defer("input", *left_out)
    page = KeysetPage.of(light, order=["position"], request=request, size=SHOWN_ITEMS)
    _jump(page, "#items")
    for item in page.rows:
        item.tone = TONES.get(item.state, "secondary")  # type: ignore[attr-defined]  # for the template
    return {
        "items": page,
        "offers_files": offers_files(batch),
        "item_state": "failed" if error else state,
        "item_error": error,
        "item_states": [(value, label, _count(batch, value)) for value, label in ItemState.choices],
    }


def _jump(page: KeysetPage[Any], anchor: str) -> None:
    """Its links lead to its table, not to the top of the page."""
    page.next_link += anchor if page.next_link else ""
    page.previous_link += anchor if page.previous_link else ""


def _count(batch: Batch, state: str) -> int:
    return int(batch.pending if state == ItemState.PENDING else getattr(batch, state))


def _deeds(batch: Batch) -> list[AuditEntry]:
    entries: list[Any] = list(
        AuditEntry.objects.filter(target=target_of(batch))
        .exclude(verb="batch.started")
        .order_by("-at", "-id")[:SHOWN_DEEDS]
    )
    for entry in entries:
        entry.words = words.deed(entry.verb)
        entry.changed = words.changes(entry.before, entry.after)
    return entries


def planned_durations(batch: Batch) -> dict[str, float | None]:
    """What the plan expected, in milliseconds; None where it expected nothing."""
    plan = batch.plan if isinstance(batch.plan, dict) else {}
    return {
        "chunk_p50": _scaled(plan.get("chunk_seconds"), 1000),
        "chunk_p95": _scaled(plan.get("chunk_seconds_p95"), 1000),
        "item_p50": _scaled(plan.get("item_p50_ms")),
        "item_p95": _scaled(plan.get("item_p95_ms")),
    }


def _scaled(value: Any, factor: float = 1.0) -> float | None:
    return value * factor if isinstance(value, int | float) else None


def durations_source(chunks: ChunkDurations) -> str:
    """Where the numbers come from, and that there are more when there are."""
    if chunks.cut:
        return _("the latest %(n)s invocations, by their REPORT lines") % {"n": f"{CHUNKS_READ:,}"}
    return _("%(n)s invocations, by their REPORT lines, else by our clock") % {"n": f"{chunks.measured:,}"}
