"""What is going on in a batch: pace, chunks by state, errors by type, durations, the slowest.

Every question reads a bounded number of rows, by an index, so that a batch of 50,000 chunks is answered like one of
fifty. Where a bound was met the answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Max, QuerySet

from services_registry.batches.progress import Pace
from services_registry.choices import ChunkState, ItemState
from services_registry.models import Batch, BatchItem, Chunk

PACE_WINDOWS_S = (30.0, 300.0)
PACE_CHUNKS = 1_000
QUEUED_COUNTED = 10_000
QUEUE_HEAD = 200
"""Chunks that AWS put off or that are sent again stand at the head of the queue: no need to look at all of it."""
FAILURES_READ = 5_000
ERROR_TYPES = 12
LIGHT = ("log_tail", "error_stack", "response")
"""Columns that a row of a table does without."""


def pace_of(batch: Batch, now: datetime) -> Pace | None:
    """Items per second over the last 30 seconds, or the last five minutes when nothing was finished in those."""
    for window_s in PACE_WINDOWS_S:
        since = max(now - timedelta(seconds=window_s), batch.created)
        finished = batch.chunks.filter(finished__gt=since).order_by("-finished")
        rows = list(finished.values_list("finished", "items_succeeded", "items_failed")[:PACE_CHUNKS])
        items = sum(good + bad for _at, good, bad in rows)
        if items:
            start = rows[-1][0] if len(rows) == PACE_CHUNKS and rows[-1][0] else since
            seconds = max(0.5, (now - start).total_seconds())
            return Pace(items / seconds, seconds)
    return None


@dataclass(frozen=True, slots=True)
class ChunkCensus:
    """Chunks by what they are doing. `queued` is a lower bound when `more_queued`, `put_off` when `more_put_off`."""

    total: int
    running: int
    checking: int
    queued: int
    more_queued: bool
    put_off: int
    more_put_off: bool
    next_try: datetime | None
    unfinished_items: int

    @property
    def finished(self) -> int | None:
        """Answered, failed or cancelled ones; None when the queue is too long to be counted."""
        return None if self.more_queued else max(0, self.total - self.running - self.checking - self.queued)


def census_of(batch: Batch, now: datetime) -> ChunkCensus:
    """Four small queries. The number of chunks is the highest position: they are numbered without gaps."""
    last = batch.chunks.aggregate(last=Max("position"))["last"]
    open_states = dict.fromkeys((ChunkState.RUNNING, ChunkState.CHECKING), 0)
    busy = 0
    opened = batch.chunks.filter(state__in=[*open_states])
    for state, total, good, bad in opened.values_list("state", "items_total", "items_succeeded", "items_failed"):
        open_states[ChunkState(state)] += 1
        busy += max(0, total - good - bad)
    queue = batch.chunks.filter(state=ChunkState.QUEUED).order_by("position")
    queued = batch.chunks.filter(state=ChunkState.QUEUED).order_by()[: QUEUED_COUNTED + 1].count()
    head = queue.values_list("waits", "not_before")[:QUEUE_HEAD] if queued else []
    tries = [at for waits, at in head if waits and at and at > now]
    return ChunkCensus(
        total=0 if last is None else last + 1,
        running=open_states[ChunkState.RUNNING],
        checking=open_states[ChunkState.CHECKING],
        queued=min(queued, QUEUED_COUNTED),
        more_queued=queued > QUEUED_COUNTED,
        put_off=len(tries),
        more_put_off=len(tries) == QUEUE_HEAD,
        next_try=min(tries, default=None),
        unfinished_items=busy,
    )


@dataclass(slots=True)
class ErrorGroup:
    """Failed items with the same error type, and the first of them as the example."""

    type: str
    count: int
    position: int
    item: BatchItem | None = None


@dataclass(slots=True)
class ErrorReport:
    """`read` failures were looked at; `more` when there are others beyond."""

    groups: list[ErrorGroup] = field(default_factory=list)
    read: int = 0
    more: bool = False
    more_types: bool = False


def errors_of(batch: Batch) -> ErrorReport:
    """What went wrong, by type, the most frequent first. Reads the index of failed items."""
    if not batch.failed:
        return ErrorReport()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT error_type, count(*), min(position) FROM (SELECT error_type, position FROM"
            " services_registry_batchitem WHERE batch_id = %s AND state = 'failed' ORDER BY position LIMIT %s) failed"
            " GROUP BY error_type ORDER BY 2 DESC, 3",
            [batch.pk, FAILURES_READ],
        )
        rows = cursor.fetchall()
    groups = [ErrorGroup(*row) for row in rows[:ERROR_TYPES]]
    examples = batch.items.filter(position__in=[group.position for group in groups]).select_related("chunk")
    by_position = {item.position: item for item in examples.defer("chunk__log_tail", "chunk__response")}
    for group in groups:
        group.item = by_position.get(group.position)
    read = sum(row[1] for row in rows)
    return ErrorReport(groups, read, batch.failed > read >= FAILURES_READ, len(rows) > ERROR_TYPES)


def chunks_in_trouble(batch: Batch, most: int) -> list[Chunk]:
    """Chunks with failed items, chunks being checked, chunks that wait after a first try: those to look at first."""
    ids = _with_failed_items(batch, most)
    checking = batch.chunks.filter(state=ChunkState.CHECKING).order_by("position")
    ids += checking.values_list("pk", flat=True)[:most]
    if len(ids) < most:
        queue = batch.chunks.filter(state=ChunkState.QUEUED).order_by("position")
        tried = queue.values_list("pk", "waits", "attempt")[:QUEUE_HEAD]
        ids += [pk for pk, waits, attempt in tried if waits or attempt]
    found = batch.chunks.filter(pk__in=ids[: 2 * most]).defer(*LIGHT)
    return sorted(found, key=lambda chunk: (chunk.state != ChunkState.CHECKING, chunk.position))[:most]


def _with_failed_items(batch: Batch, most: int) -> list[UUID]:
    if not batch.failed:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT chunk_id FROM (SELECT chunk_id, position FROM services_registry_batchitem"
            " WHERE batch_id = %s AND state = 'failed' AND chunk_id IS NOT NULL ORDER BY position LIMIT %s) failed"
            " GROUP BY chunk_id ORDER BY min(position) LIMIT %s",
            [batch.pk, FAILURES_READ, most],
        )
        return [row[0] for row in cursor.fetchall()]


def chunks_under_way(batch: Batch, most: int) -> list[Chunk]:
    """The longest running first."""
    running = batch.chunks.filter(state=ChunkState.RUNNING)
    return list(running.order_by("started", "position").defer(*LIGHT)[:most])


def items_in_state(batch: Batch, state: str) -> QuerySet[BatchItem]:
    """Items of one state ("" for all). The counters spare the search for items that do not exist."""
    counts = {
        ItemState.SUCCEEDED.value: batch.succeeded,
        ItemState.FAILED.value: batch.failed,
        ItemState.CANCELLED.value: batch.cancelled,
        ItemState.PENDING.value: batch.pending,
    }
    if state not in counts:
        return batch.items.all()
    return batch.items.filter(state=state) if counts[state] else batch.items.none()
