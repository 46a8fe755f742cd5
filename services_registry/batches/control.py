"""What a person can do to a batch: pause, resume, change its limits, cancel it, or retry what failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from core.audit import record
from services_registry import capabilities
from services_registry.batches import settle
from services_registry.batches.errors import BatchError
from services_registry.batches.start import digest_of, start_run, store
from services_registry.batches.wake import wake
from services_registry.capabilities import Asked, ItemRef
from services_registry.choices import OPEN_BATCHES, BatchState, ItemState, Priority
from services_registry.models import Batch

UNCHANGED: Final = object()
SHOWN_LABELS = 5


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Invocations that nobody can end, and when the last of them must be over (None when there are none)."""

    count: int
    quiet_at: datetime | None


@dataclass(frozen=True, slots=True)
class RedrivePreview:
    """What a retry would touch. `running` is a retry that is not over yet: then no second one can be made."""

    items: int
    by_error: list[tuple[str, int]]
    labels: list[str]
    running: Batch | None


def pause_batch(batch: Batch, *, actor: Any, source: str, reason: str = "") -> bool:
    """Begin nothing new. False when it was not running. Invocations under way end in their own time and count."""
    return _switch(batch, [BatchState.RUNNING], BatchState.PAUSED, "batch.paused", actor, source, reason)


def resume_batch(batch: Batch, *, actor: Any, source: str, reason: str = "") -> bool:
    """Go on after a pause, or after a halt by the failure threshold. False when it was neither.

    A halted batch goes on without its threshold: whoever resumes it has seen the failures. A new one can be set.
    """
    states = [BatchState.PAUSED, BatchState.HALTED]
    changed = _switch(batch, states, BatchState.RUNNING, "batch.resumed", actor, source, reason)
    if changed:
        wake()
    return changed


def _switch(
    batch: Batch, states: list[BatchState], state: BatchState, verb: str, actor: Any, source: str, reason: str
) -> bool:
    with transaction.atomic():
        before = Batch.objects.select_for_update().only("state").get(pk=batch.pk).state
        changes: dict[str, Any] = {"state": state, "state_note": reason[:300] if state == BatchState.PAUSED else ""}
        if before == BatchState.HALTED:
            changes |= {"max_failed": None, "max_failed_percent": None}
        changed = Batch.objects.filter(pk=batch.pk, state__in=states, cancel_requested=False).update(**changes)
        if changed:
            record(
                actor=actor, verb=verb, target=batch, source=source, summary=batch.title, reason=reason,
                before={"state": before}, after={"state": state.value},
            )  # fmt: skip
    batch.refresh_from_db()
    return bool(changed)


def adjust_batch(
    batch: Batch,
    *,
    actor: Any,
    source: str,
    reason: str = "",
    concurrency: int | None = None,
    priority: int | None = None,
    max_failed: Any = UNCHANGED,
    max_failed_percent: Any = UNCHANGED,
) -> Batch:
    """Change limits of a batch that is not over; they hold from the next invocation on. None takes a threshold away.

    Raises:
        BatchError: it is over, or a value makes no sense.
    """
    wanted = {"concurrency": concurrency, "priority": priority}
    changes: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    thresholds = {"max_failed": max_failed, "max_failed_percent": max_failed_percent}
    changes |= {name: value for name, value in thresholds.items() if value is not UNCHANGED}
    _check_limits(changes)
    with transaction.atomic():
        row = Batch.objects.select_for_update().get(pk=batch.pk)
        if row.state not in OPEN_BATCHES:
            raise BatchError(_("This batch is over; there is nothing left to change."), code="batch_over")
        before = {name: getattr(row, name) for name in changes}
        if changes and before != changes:
            Batch.objects.filter(pk=batch.pk).update(**changes)
            record(
                actor=actor, verb="batch.adjusted", target=batch, source=source, summary=batch.title, reason=reason,
                before=before, after=changes,
            )  # fmt: skip
    batch.refresh_from_db()
    wake()
    return batch


def _check_limits(changes: Mapping[str, Any]) -> None:
    bounds = {"concurrency": (1, 1000), "max_failed": (0, 10_000_000), "max_failed_percent": (0, 100)}
    for name, (least, most) in bounds.items():
        value = changes.get(name)
        if value is not None and not least <= value <= most:
            message = _("%(name)s must be between %(least)s and %(most)s.") % {
                "name": name, "least": least, "most": most,
            }  # fmt: skip
            raise BatchError(message, code="limits", fields={name: [message]})
    if changes.get("priority") not in {None, *Priority.values}:
        raise BatchError(_("There is no such priority."), code="limits", fields={"priority": [_("unknown")]})


def cancel_batch(batch: Batch, *, actor: Any, source: str, reason: str = "") -> bool:
    """Cancel what has not begun; invocations under way end and count. False when it was finished or cancelled already.

    No API ends a running Lambda invocation (AWS documentation, read 2026-11-23).
    """
    with transaction.atomic():
        asked = Batch.objects.filter(pk=batch.pk, state__in=OPEN_BATCHES, cancel_requested=False).update(
            cancel_requested=True
        )
        if asked:
            record(actor=actor, verb="batch.cancelled", target=batch, source=source, summary=batch.title, reason=reason)
    if asked:
        settle.cancel_queued(batch.pk)
    batch.refresh_from_db()
    return bool(asked)


def under_way(batch: Batch) -> UnderWay:
    """What of a batch is being invoked now. A time-out that the registry does not know counts as the longest there is."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), max(c.started) + make_interval(secs => coalesce((
                       SELECT max(f.timeout_s) FROM services_registry_function f WHERE f.name = %s), 900))
              FROM services_registry_chunk c
             WHERE c.batch_id = %s AND c.state IN ('running', 'checking')
            """,
            [batch.function_name, batch.pk],
        )
        count, quiet_at = cursor.fetchone()
    return UnderWay(count, quiet_at)


def redrive_preview(batch: Batch) -> RedrivePreview:
    """What `retry_failed` would do, without doing it."""
    failed = batch.items.filter(state=ItemState.FAILED)
    rows = failed.order_by().values("error_type").annotate(n=Count("pk")).order_by("-n", "error_type")
    by_error = [(row["error_type"], row["n"]) for row in rows]
    labels = [label or key for label, key in failed.order_by("position").values_list("label", "key")[:SHOWN_LABELS]]
    running = batch.children.filter(state__in=OPEN_BATCHES).first()
    return RedrivePreview(sum(count for _type, count in by_error), by_error, labels, running)


def retry_failed(
    batch: Batch, *, actor: Any, source: str = "page", reason: str = "", idempotency_key: str | None = None
) -> Batch:
    """A child batch of exactly the failed items. While one is not over, no second one is made.

    Raises:
        BatchError: nothing failed, or a retry is still running.
    """
    if idempotency_key and (known := Batch.objects.filter(idempotency_key=idempotency_key, parent=batch).first()):
        return known
    with transaction.atomic():
        Batch.objects.select_for_update().get(pk=batch.pk)
        _check_free(batch)
        if not batch.capability and batch.payload is not None:
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
    running = batch.children.filter(state__in=OPEN_BATCHES).first()
    if running is not None:
        raise BatchError(
            _("These items are already being retried in batch %(id)s. Wait until it is finished.") % {"id": running.pk},
            code="retry_running",
        )
    if not batch.items.filter(state=ItemState.FAILED).exists():
        raise BatchError(_("Nothing failed in this batch, so there is nothing to retry."), code="nothing_failed")


def _retry_items(batch: Batch, *, actor: Any, source: str, reason: str, idempotency_key: str | None) -> Batch:
    failed = batch.items.filter(state=ItemState.FAILED).order_by("position")
    items = [ItemRef(key, label) for key, label in failed.values_list("key", "label")]
    title = _("Retry of %(count)s: %(title)s") % {"count": len(items), "title": batch.title}
    same = (
        "capability", "function_name", "region", "qualifier", "context", "chunk_size", "concurrency", "priority",
        "max_failed_percent", "envelope", "repeatable", "sample",
    )  # fmt: skip
    child = Batch(
        **{name: getattr(batch, name) for name in same},
        title=title[:200],
        parent=batch,
        selection={"retry_of": str(batch.pk)},
        asked_digest=digest_of("retry", batch.pk),
    )
    groups, inputs = {}, {}
    if batch.capability:
        groups = dict(capabilities.get(batch.capability).groups_of([item.key for item in items], Asked.of(batch)))
    else:
        inputs = _inputs_of(batch)
    return store(
        child, items, groups, actor=actor, source=source, reason=reason, idempotency_key=idempotency_key, inputs=inputs
    )


def _inputs_of(batch: Batch) -> dict[str, str]:
    """The failed items' own payloads, as JSON text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, input::text FROM services_registry_batchitem WHERE batch_id = %s AND state = 'failed'",
            [batch.pk],
        )
        return {key: text for key, text in cursor.fetchall() if text is not None}
