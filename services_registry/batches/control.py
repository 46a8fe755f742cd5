"""What a person can do to a batch: cancel it, or retry what failed."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.audit import record
from services_registry import capabilities
from services_registry.batches.errors import BatchError
from services_registry.batches.run import wind_up
from services_registry.batches.start import start_run, store
from services_registry.capabilities import ItemRef
from services_registry.choices import BatchState, ItemState
from services_registry.models import Batch


def cancel_batch(batch: Batch, *, actor: Any, source: str, reason: str = "") -> bool:
    """Cancel what has not begun; invocations under way end and count. False when it was finished or cancelled already.

    No API ends a running Lambda invocation (AWS documentation, read 2026-11-23).
    """
    with transaction.atomic():
        asked = Batch.objects.filter(pk=batch.pk, state=BatchState.RUNNING, cancel_requested=False).update(
            cancel_requested=True
        )
        if asked:
            record(actor=actor, verb="batch.cancelled", target=batch, source=source, summary=batch.title, reason=reason)
    wind_up(batch.pk)
    batch.refresh_from_db()
    return bool(asked)


def retry_failed(
    batch: Batch, *, actor: Any, source: str = "page", reason: str = "", idempotency_key: str | None = None
) -> Batch:
    """A child batch of exactly the failed items. While one is running, no second one is made.

    Raises:
        BatchError: nothing failed, or a retry is still running.
    """
    if idempotency_key and (known := Batch.objects.filter(idempotency_key=idempotency_key, parent=batch).first()):
        return known
    with transaction.atomic():
        Batch.objects.select_for_update().get(pk=batch.pk)
        _check_free(batch)
        if not batch.capability:
            return start_run(
                function_name=batch.function_name,
                region=batch.region,
                qualifier=batch.qualifier,
                payload=batch.payload,
                actor=actor,
                source=source,
                reason=reason,
                title=batch.title,
                idempotency_key=idempotency_key,
                parent=batch,
            )
        return _retry_items(batch, actor=actor, source=source, reason=reason, idempotency_key=idempotency_key)


def _check_free(batch: Batch) -> None:
    running = batch.children.filter(state=BatchState.RUNNING).first()
    if running is not None:
        raise BatchError(
            _("These items are already being retried in batch %(id)s. Wait until it is finished.") % {"id": running.pk},
            code="retry_running",
        )
    if not batch.items.filter(state=ItemState.FAILED).exists():
        raise BatchError(_("Nothing failed in this batch, so there is nothing to retry."), code="nothing_failed")


def _retry_items(batch: Batch, *, actor: Any, source: str, reason: str, idempotency_key: str | None) -> Batch:
    kind = capabilities.get(batch.capability)
    failed = batch.items.filter(state=ItemState.FAILED).order_by("position").values_list("key", "label")
    items = [ItemRef(key, label) for key, label in failed]
    child = Batch(
        capability=batch.capability,
        function_name=batch.function_name,
        region=batch.region,
        qualifier=batch.qualifier,
        title=_("Retry of %(count)s: %(title)s") % {"count": len(items), "title": batch.title},
        parent=batch,
        selection={"retry_of": str(batch.pk)},
        context=batch.context,
        chunk_size=batch.chunk_size,
        concurrency=batch.concurrency,
        sample=batch.sample,
    )
    child.title = child.title[:200]
    groups = kind.partition([item.key for item in items])
    return store(child, items, groups, actor=actor, source=source, reason=reason, idempotency_key=idempotency_key)
