"""The sweep that brings back what a vanished worker, a lost message or a crash has left lying; safe at any time."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from services_registry import capabilities
from services_registry.batches import settle
from services_registry.batches.dispatch import enqueue, pump, stale_dispatches
from services_registry.batches.run import MAX_ATTEMPTS, wind_up
from services_registry.capabilities import SelectionError
from services_registry.choices import BatchState, ChunkState, ItemState, Outcome
from services_registry.models import Batch, BatchItem, Chunk

logger = logging.getLogger(__name__)

UNCLAIMED_AFTER = timedelta(seconds=30)
LOST = "The worker that ran this went away before the answer was kept. The function may have done its work: look first."


def recover() -> int:
    """Queue chunks whose lease ran out, dispatch again what nobody claimed, finish what is finished, pump.

    Returns how many chunks were brought back.
    """
    lost = _lapsed_chunks()
    stale = stale_dispatches(UNCLAIMED_AFTER)
    enqueue(stale)
    for batch_id in _left_over():
        wind_up(batch_id)
    pump()
    if lost or stale:
        logger.warning("chunks recovered lapsed=%s unclaimed=%s", lost, len(stale))
    return lost + len(stale)


def _lapsed_chunks() -> int:
    lapsed = Chunk.objects.filter(state=ChunkState.RUNNING, lease_until__lt=timezone.now()).select_related("batch")
    count = 0
    for chunk in lapsed[:1000]:
        mine = Chunk.objects.filter(
            pk=chunk.pk, state=ChunkState.RUNNING, worker=chunk.worker, lease_until__lt=timezone.now()
        )
        if chunk.batch.capability and chunk.attempt < MAX_ATTEMPTS:
            count += mine.update(state=ChunkState.QUEUED, worker="", lease_until=None, dispatched=None, not_before=None)
        elif mine.update(
            state=ChunkState.FAILED, outcome=Outcome.UNREACHABLE, error_type="WorkerLost", error_message=LOST,
            finished=timezone.now(), lease_until=None,
        ):  # fmt: skip
            _give_up(chunk)
            count += 1
    return count


def _give_up(chunk: Chunk) -> None:
    """A plain run must not be sent twice, and a chunk that keeps taking its worker along must end."""
    try:
        kind = capabilities.get(chunk.batch.capability) if chunk.batch.capability else None
    except SelectionError:
        kind = None
    keys = list(BatchItem.objects.filter(chunk=chunk, state=ItemState.PENDING).values_list("key", flat=True))
    settle.fail_items(kind, chunk.batch, keys, Outcome.UNREACHABLE, "WorkerLost", LOST)


def _left_over() -> list[UUID]:
    """Running batches that a crash kept from being finished or cancelled."""
    running = Batch.objects.filter(state=BatchState.RUNNING)
    settled = running.filter(total__lte=F("succeeded") + F("failed") + F("cancelled"))
    return [*settled.values_list("pk", flat=True), *running.filter(cancel_requested=True).values_list("pk", flat=True)]
