"""Starting a batch: the rows in one transaction, the work only once they are committed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from core.audit import record
from core.aws.invoke import SYNC_PAYLOAD_LIMIT
from services_registry import capabilities
from services_registry.batches.chunks import Group, cut
from services_registry.batches.errors import BatchError
from services_registry.batches.plan import distinct, plan_items, plan_run
from services_registry.batches.target import function_row, target_of
from services_registry.batches.wake import wake
from services_registry.capabilities import Asked, Capability, ItemRef
from services_registry.choices import ChunkState, ItemState, Priority
from services_registry.models import Batch, BatchItem, BatchSchedule, Chunk

RUN_KEY = "run"
MOST_PAYLOADS = 100_000
# Columns that start the same for all come last; Django keeps their defaults out of the database.
_COPY_CHUNKS = f"""
COPY {Chunk._meta.db_table} (id, batch_id, position, "group", items_total, state, depth, items_succeeded, items_failed,
    attempt, waits, billed_invocations, worker, outcome, error_type, error_message, error_stack, request_id, log_tail)
FROM STDIN
"""
_NEW_CHUNK = (ChunkState.QUEUED.value, 0, 0, 0, 0, 0, 0, "", "", "", "", "", "", "")
_COPY_ITEMS = f"""
COPY {BatchItem._meta.db_table} (batch_id, chunk_id, position, key, label, input, state, outcome, error_type,
    error_message) FROM STDIN
"""
_NEW_ITEM = (ItemState.PENDING.value, "", "", "")


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
    concurrency: int | None = None,
    priority: int = Priority.NORMAL,
    max_failed: int | None = None,
    max_failed_percent: int | None = None,
    schedule: BatchSchedule | None = None,
) -> Batch:
    """Start a capability's work on everything a selection means. The same idempotency key gives the same batch.

    The planner chooses how many items go into a chunk; `chunk_size` and `concurrency` can only lower what it and the
    binding allow. Beyond `max_failed` items, or `max_failed_percent` of the settled ones, the batch halts.

    Raises:
        BatchError: the selection means nothing, or the key was used for something else.
        SelectionError: the capability is unknown, or cannot understand the selection or the options.
    """
    digest = digest_of(capability, selection, context)
    if known := _known(idempotency_key, digest):
        return known
    kind = capabilities.get(capability)
    asked = Asked(selection, kind.options(context or {}))
    items = distinct(kind.items_of(asked))
    if not items:
        raise BatchError(
            _("The selection holds no %(items)s, so there is nothing to do. Choose at least one.")
            % {"items": kind.item_noun},
            code="empty_selection",
            fields={"selection": [_("empty")]},
        )
    target = target_of(kind)
    groups = kind.groups_of([item.key for item in items], asked)
    plan = plan_items(kind, items, target, chunk_size=chunk_size, concurrency=concurrency, groups=groups, asked=asked)
    batch = Batch(
        capability=kind.slug,
        function_name=target.function_name,
        region=target.region,
        qualifier=target.qualifier,
        title=(title or f"{kind.title_of(asked)}: {_what(items, kind)}")[:200],
        selection=dict(selection),
        context=dict(asked.options),
        chunk_size=plan.chunk_size,
        concurrency=plan.concurrency,
        plan=plan.snapshot(),
        repeatable=kind.repeatable,
        priority=priority,
        max_failed=max_failed,
        max_failed_percent=max_failed_percent,
        schedule=schedule,
    )
    batch.asked_digest = digest
    return store(batch, items, groups, actor=actor, source=source, reason=reason, idempotency_key=idempotency_key)


def _what(items: Sequence[ItemRef], kind: Capability) -> str:
    """The item itself when it is one, else how many."""
    return items[0].label or items[0].key if len(items) == 1 else f"{len(items):,} {kind.item_noun}"


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
    return start_runs(
        function_name=function_name,
        payloads=None,
        payload=payload,
        actor=actor,
        source=source,
        region=region,
        qualifier=qualifier,
        reason=reason,
        title=title,
        idempotency_key=idempotency_key,
        parent=parent,
    )


def start_runs(
    *,
    function_name: str,
    payloads: Sequence[Any] | None,
    actor: Any,
    source: str,
    payload: Any = None,
    region: str = "",
    qualifier: str = "",
    reason: str = "",
    title: str | None = None,
    idempotency_key: str | None = None,
    parent: Batch | None = None,
    chunked: bool = False,
    repeatable: bool = False,
    chunk_size: int | None = None,
    concurrency: int | None = None,
    priority: int = Priority.NORMAL,
    max_failed: int | None = None,
    max_failed_percent: int | None = None,
) -> Batch:
    """Run any function once for each of many payloads. Without `payloads` it is the one `payload`, for `start_run`.

    Args:
        chunked: send many payloads (JSON objects) in one batch envelope; else each goes alone, as it is.
        repeatable: an invocation whose answer got lost may be sent again; else it is looked up in the function's log.

    Raises:
        BatchError: a payload is too large or no JSON, the function is gone, or the key was used for something else.
    """
    asked = digest_of(function_name, region, qualifier, payload, payloads, chunked)
    if known := _known(idempotency_key, asked):
        return known
    texts = check_payloads([payload] if payloads is None else payloads, objects=chunked)
    region = region or settings.AWS_REGION
    row = function_row(function_name, region)
    if row is not None and row.gone:
        raise BatchError(
            _("%(name)s is no longer there: the last sync did not find it.") % {"name": function_name}, code="gone"
        )
    plan = plan_run(
        function_name, [payload] if payloads is None else payloads, region=region, chunked=chunked,
        chunk_size=chunk_size, concurrency=concurrency, repeatable=repeatable, ask_aws=False,
    )  # fmt: skip
    many = payloads is not None
    batch = Batch(
        function_name=function_name,
        region=region,
        qualifier=qualifier,
        title=(title or (f"Run {function_name}, {len(texts):,} payloads" if many else f"Run {function_name}"))[:200],
        payload=None if many else payload,
        chunk_size=plan.chunk_size if chunked else 1,
        concurrency=plan.concurrency,
        plan=plan.snapshot(),
        envelope=chunked,
        repeatable=repeatable,
        priority=priority,
        max_failed=max_failed,
        max_failed_percent=max_failed_percent,
        parent=parent,
        asked_digest=asked,
    )
    items, inputs = [ItemRef(RUN_KEY, function_name[:120])], {}
    if many:
        items = [ItemRef(f"item-{number}", f"payload {number}") for number in range(1, len(texts) + 1)]
        inputs = {item.key: text for item, text in zip(items, texts, strict=True)}
    return store(
        batch, items, {}, actor=actor, source=source, reason=reason, idempotency_key=idempotency_key, inputs=inputs
    )


def store(
    batch: Batch,
    items: Sequence[ItemRef],
    groups: Mapping[str, str],
    *,
    actor: Any,
    source: str,
    reason: str,
    idempotency_key: str | None,
    inputs: Mapping[str, str] | None = None,
) -> Batch:
    """Write the batch with its chunks and items, and let it begin once that is committed.

    Two requests with one key at the same moment meet at the unique constraint; the later one gets the earlier batch.
    `batch.created_now` tells the two apart. `inputs` are payloads of the items' own, as JSON text by key.
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
            _store_parts(batch, cut([item.key for item in items], groups, batch.chunk_size), items, inputs or {})
            record(
                actor=actor, verb="batch.started", target=batch, source=source, summary=batch.title, reason=reason,
                after={"function": batch.function_name, "items": batch.total, "parent": str(batch.parent_id or "")},
            )  # fmt: skip
            transaction.on_commit(wake)
    except IntegrityError:
        known = _known(idempotency_key, batch.asked_digest)
        if known is None:
            raise
        return known
    batch.created_now = True  # type: ignore[attr-defined]  # for the API's status code
    return batch


def _store_parts(batch: Batch, groups: list[Group], items: Sequence[ItemRef], inputs: Mapping[str, str]) -> None:
    """By COPY: a click on 50,000 items is answered in a second or so."""
    chunk_of: dict[str, UUID] = {}
    with connection.cursor() as cursor:
        with cursor.copy(_COPY_CHUNKS) as copy:
            for position, group in enumerate(groups):
                chunk_id = uuid4()
                copy.write_row((chunk_id, batch.pk, position, group.name, len(group.keys), *_NEW_CHUNK))
                chunk_of.update(dict.fromkeys(group.keys, chunk_id))
        with cursor.copy(_COPY_ITEMS) as copy:
            for number, item in enumerate(items):
                own = inputs.get(item.key)
                copy.write_row((batch.pk, chunk_of[item.key], number, item.key, item.label[:120], own, *_NEW_ITEM))


def digest_of(*asked: Any) -> str:
    """Tells requests apart: the same key with another request is a mistake, and said so."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def _known(idempotency_key: str | None, asked: str) -> Batch | None:
    """The batch that was started with this key."""
    if not idempotency_key:
        return None
    if len(idempotency_key) > 120:
        raise BatchError(_("An idempotency key has at most 120 characters."), code="idempotency_key")
    batch = Batch.objects.filter(idempotency_key=idempotency_key).first()
    if batch and batch.asked_digest != asked:
        raise BatchError(
            _("This idempotency key already belongs to another batch (%(id)s). Use a new key for new work.")
            % {"id": batch.pk},
            code="idempotency_key_reused",
        )
    return batch


def check_payloads(payloads: Sequence[Any], *, objects: bool) -> list[str]:
    """The payloads as JSON text.

    Raises:
        BatchError: there is none, or one is no JSON, too large for a call, or (with `objects`) no object.
    """
    if not payloads:
        raise BatchError(_("There is no payload, so there is nothing to run."), code="empty_selection")
    if len(payloads) > MOST_PAYLOADS:
        most = {"count": len(payloads), "most": MOST_PAYLOADS}
        raise BatchError(_("%(count)s payloads; at most %(most)s go into one batch.") % most, code="too_many")
    return [_checked(number, payload, objects) for number, payload in enumerate(payloads, start=1)]


def _checked(number: int, payload: Any, must_be_object: bool) -> str:
    try:
        text = json.dumps(payload, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BatchError(_("The payload is not JSON: %(why)s") % {"why": error}, code="payload") from error
    if must_be_object and not isinstance(payload, dict):
        raise BatchError(_("Payload %(number)s is no JSON object.") % {"number": number}, code="payload")
    if "\\u0000" in text:
        raise BatchError(_("Payload %(number)s holds a NUL character.") % {"number": number}, code="payload")
    if len(text) > SYNC_PAYLOAD_LIMIT:  # ASCII, so characters are bytes
        raise BatchError(
            _("The payload has %(size)s bytes; a call takes at most %(limit)s. Put the data into object storage.")
            % {"size": len(text), "limit": SYNC_PAYLOAD_LIMIT},
            code="payload_too_large",
        )
    return text
