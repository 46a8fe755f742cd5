"""Starting a batch: the rows in one transaction, the work only once they are committed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.audit import record
from core.aws.invoke import SYNC_PAYLOAD_LIMIT
from services_registry import capabilities
from services_registry.batches.chunks import Group, cut
from services_registry.batches.dispatch import pump
from services_registry.batches.errors import BatchError
from services_registry.batches.target import function_row, target_of
from services_registry.capabilities import ItemRef
from services_registry.models import Batch, BatchItem, Chunk

ROWS_AT_ONCE = 2_000
RUN_KEY = "run"


def start_batch(
    *,
    capability: str,
    selection: Mapping[str, Any],
    actor: Any,
    source: str,
    reason: str = "",
    title: str | None = None,
    idempotency_key: str | None = None,
    chunk_size: int | None = None,
    context: Mapping[str, Any] | None = None,
) -> Batch:
    """Start a capability's work on everything a selection means. The same idempotency key gives the same batch.

    Raises:
        BatchError: the selection means nothing, or the key was used for something else.
        SelectionError: the capability is unknown, or cannot understand the selection.
    """
    if known := _known(idempotency_key, capability=capability):
        return known
    kind = capabilities.get(capability)
    items = distinct(kind.resolve(selection))
    if not items:
        raise BatchError(
            _("The selection holds no %(items)s, so there is nothing to do. Choose at least one.")
            % {"items": kind.item_noun},
            code="empty_selection",
            fields={"selection": [_("empty")]},
        )
    target = target_of(kind)
    batch = Batch(
        capability=kind.slug,
        function_name=target.function_name,
        region=target.region,
        qualifier=target.qualifier,
        title=(title or f"{kind.label}: {len(items)} {kind.item_noun}")[:200],
        selection=dict(selection),
        context=dict(context or {}),
        chunk_size=max(1, min(chunk_size or target.chunk_size, target.chunk_size)),
        concurrency=target.concurrency,
    )
    groups = kind.partition([item.key for item in items])
    return store(batch, items, groups, actor=actor, source=source, reason=reason, idempotency_key=idempotency_key)


def start_run(
    *,
    function_name: str,
    payload: Any,
    actor: Any,
    source: str,
    region: str = "",
    qualifier: str = "",
    reason: str = "",
    title: str | None = None,
    idempotency_key: str | None = None,
    parent: Batch | None = None,
) -> Batch:
    """Run any function once with a plain JSON payload, as a batch of one item. It is never sent twice.

    Raises:
        BatchError: the payload is too large or no JSON, the function is gone, or the key was used for something else.
    """
    if known := _known(idempotency_key, capability="", function_name=function_name):
        return known
    region = region or settings.AWS_REGION
    _check_payload(payload)
    row = function_row(function_name, region)
    if row is not None and row.gone:
        raise BatchError(
            _("%(name)s is no longer there: the last sync did not find it.") % {"name": function_name}, code="gone"
        )
    batch = Batch(
        function_name=function_name,
        region=region,
        qualifier=qualifier,
        title=(title or f"Run {function_name}")[:200],
        payload=payload,
        chunk_size=1,
        concurrency=1,
        parent=parent,
    )
    item = ItemRef(RUN_KEY, function_name[:120])
    return store(batch, [item], {}, actor=actor, source=source, reason=reason, idempotency_key=idempotency_key)


def store(
    batch: Batch,
    items: Sequence[ItemRef],
    groups: Mapping[str, str],
    *,
    actor: Any,
    source: str,
    reason: str,
    idempotency_key: str | None,
) -> Batch:
    """Write the batch with its chunks and items, and let it begin once that is committed.

    Two requests with one key at the same moment meet at the unique constraint; the later one gets the earlier batch.
    """
    batch.total = len(items)
    batch.source = source[:20]
    batch.reason = reason[:300]
    batch.idempotency_key = idempotency_key or None
    if actor is not None and getattr(actor, "pk", None):
        batch.created_by = actor
        batch.created_by_name = actor.get_username()
    else:
        batch.created_by_name = "system"
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
            _store_parts(batch, cut([item.key for item in items], groups, batch.chunk_size), items)
            record(
                actor=actor, verb="batch.started", target=batch, source=source, summary=batch.title, reason=reason,
                after={"function": batch.function_name, "items": batch.total, "parent": str(batch.parent_id or "")},
            )  # fmt: skip
            transaction.on_commit(pump)
    except IntegrityError:
        known = _known(idempotency_key, capability=batch.capability, function_name=batch.function_name)
        if known is None:
            raise
        return known
    return batch


def distinct(items: Any) -> list[ItemRef]:
    """The items without repetitions, in order."""
    return list({item.key: item for item in items}.values())


def _store_parts(batch: Batch, groups: list[Group], items: Sequence[ItemRef]) -> None:
    chunks = [Chunk(batch=batch, position=position, group=group.name) for position, group in enumerate(groups)]
    Chunk.objects.bulk_create(chunks, batch_size=ROWS_AT_ONCE)
    chunk_of = {key: chunk for chunk, group in zip(chunks, groups, strict=True) for key in group.keys}
    BatchItem.objects.bulk_create(
        [
            BatchItem(batch=batch, chunk=chunk_of[item.key], position=number, key=item.key, label=item.label[:120])
            for number, item in enumerate(items)
        ],
        batch_size=ROWS_AT_ONCE,
    )


def _known(idempotency_key: str | None, *, capability: str, function_name: str = "") -> Batch | None:
    """The batch that was started with this key."""
    if not idempotency_key:
        return None
    if len(idempotency_key) > 120:
        raise BatchError(_("An idempotency key has at most 120 characters."), code="idempotency_key")
    batch = Batch.objects.filter(idempotency_key=idempotency_key).first()
    if batch and (batch.capability != capability or (function_name and batch.function_name != function_name)):
        raise BatchError(
            _("This idempotency key already belongs to another batch (%(id)s). Use a new key for new work.")
            % {"id": batch.pk},
            code="idempotency_key_reused",
        )
    return batch


def _check_payload(payload: Any) -> None:
    try:
        size = len(json.dumps(payload, allow_nan=False).encode())
    except (TypeError, ValueError) as error:
        raise BatchError(_("The payload is not JSON: %(why)s") % {"why": error}, code="payload") from error
    if size > SYNC_PAYLOAD_LIMIT:
        raise BatchError(
            _("The payload has %(size)s bytes; a call takes at most %(limit)s. Put the data into object storage.")
            % {"size": size, "limit": SYNC_PAYLOAD_LIMIT},
            code="payload_too_large",
        )
