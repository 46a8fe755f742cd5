"""Settling items: state, effect and counter change in one transaction, and only for an item that was still pending."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from core.aws import storage
from core.aws.errors import AwsError
from services_registry.capabilities import Capability, ItemFailed, OpenBinary
from services_registry.choices import BatchState, ChunkState, ItemState, Outcome
from services_registry.models import Batch, BatchItem, Chunk

logger = logging.getLogger(__name__)

MESSAGE_LENGTH = 2_000


def apply_value(
    capability: Capability, batch: Batch, key: str, value: Mapping[str, Any], open_binary: OpenBinary
) -> bool:
    """Let the capability take over one result, exactly once. False when the item was settled before or fails now.

    A lost database connection is not the item's fault and is raised: the chunk will be run again.
    """
    try:
        with transaction.atomic():
            if not _mark(batch.pk, [key], ItemState.SUCCEEDED, Outcome.SUCCEEDED):
                return False
            result = capability.apply(key, value, batch=batch, open_binary=open_binary)
            if result:
                BatchItem.objects.filter(batch=batch, key=key).update(result=without_nul(result))
            _count(batch.pk, succeeded=1)
    except ItemFailed as failure:
        fail_items(capability, batch, [key], Outcome.ITEM_ERROR, failure.type, failure.message)
        return False
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # one item's odd result must not take the others along
        logger.exception("result not applied batch=%s key=%s", batch.pk, key)
        fail_items(capability, batch, [key], Outcome.ITEM_ERROR, type(error).__name__, str(error))
        return False
    return True


def succeed_run(batch: Batch, key: str) -> bool:
    """Mark the one item of a plain run."""
    with transaction.atomic():
        marked = _mark(batch.pk, [key], ItemState.SUCCEEDED, Outcome.SUCCEEDED)
        _count(batch.pk, succeeded=marked)
    return bool(marked)


def fail_items(
    capability: Capability | None, batch: Batch, keys: Sequence[str], outcome: str, error_type: str, message: str
) -> int:
    """Fail those of `keys` that are still pending; returns how many."""
    if not keys:
        return 0
    error_type, message = clean(error_type, 120), clean(message)
    with transaction.atomic():
        pending = BatchItem.objects.filter(batch=batch, key__in=list(keys), state=ItemState.PENDING)
        mine = list(pending.select_for_update().order_by("position").values_list("key", flat=True))
        _mark(batch.pk, mine, ItemState.FAILED, outcome, error_type, message)
        if capability is not None:
            for key in mine:
                capability.failed(key, error_type=error_type, message=message, batch=batch)
        _count(batch.pk, failed=len(mine))
    return len(mine)


def cancel_rest(batch_id: UUID) -> int:
    """Cancel what has not begun: queued chunks and their pending items. Running chunks end in their own way."""
    now = timezone.now()
    with transaction.atomic():
        Chunk.objects.filter(batch_id=batch_id, state=ChunkState.QUEUED).update(
            state=ChunkState.CANCELLED, outcome=Outcome.CANCELLED, finished=now
        )
        cancelled_chunks = Chunk.objects.filter(batch_id=batch_id, state=ChunkState.CANCELLED).values("pk")
        count = BatchItem.objects.filter(
            batch_id=batch_id, state=ItemState.PENDING, chunk_id__in=cancelled_chunks
        ).update(state=ItemState.CANCELLED, outcome=Outcome.CANCELLED, settled=now)
        _count(batch_id, cancelled=count)
    return count


def finish_if_done(batch_id: UUID) -> bool:
    """Finish the batch when nothing is pending any more. True for whoever finished it, once."""
    finished = Batch.objects.filter(
        pk=batch_id, state=BatchState.RUNNING, total__lte=F("succeeded") + F("failed") + F("cancelled")
    ).update(
        state=Case(When(cancelled__gt=0, then=Value(BatchState.CANCELLED.value)), default=Value(BatchState.DONE.value)),
        finished=timezone.now(),
    )
    return finished == 1


def clear_exchange(batch_id: UUID) -> None:
    """Remove what a finished batch left in the exchange bucket; what stays expires there by itself."""
    try:
        storage.delete_prefix(f"requests/{batch_id}/")
        storage.delete_prefix(f"results/{batch_id}/")
    except AwsError as error:
        logger.info("exchange not cleared batch=%s error=%s", batch_id, error)


def _mark(
    batch_id: UUID, keys: Sequence[str], state: str, outcome: str, error_type: str = "", message: str = ""
) -> int:
    return BatchItem.objects.filter(batch_id=batch_id, key__in=list(keys), state=ItemState.PENDING).update(
        state=state, outcome=outcome, error_type=error_type, error_message=message, settled=timezone.now()
    )


def _count(batch_id: UUID, **changes: int) -> None:
    """Last in its transaction: the batch's row is shared by all its chunks and stays locked until the commit."""
    if any(changes.values()):
        Batch.objects.filter(pk=batch_id).update(**{name: F(name) + number for name, number in changes.items()})


def clean(text: str, length: int = MESSAGE_LENGTH) -> str:
    """Text that Postgres takes: no NUL, bounded."""
    return text.replace("\x00", "")[:length]


def without_nul(value: Any) -> Any:
    """The same JSON value without NUL characters, which jsonb refuses."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {without_nul(key): without_nul(part) for key, part in value.items()}
    if isinstance(value, list):
        return [without_nul(part) for part in value]
    return value
