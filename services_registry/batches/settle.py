"""Writing what became of a chunk: its row, its items, their effects and the batch's counters, in one transaction.

Only whoever still holds the claim may write, and only items that are still pending change. So a chunk that two workers
run, or that runs again, counts once and has its effects once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils.translation import gettext as _

from core.aws import storage
from core.aws.errors import AwsError
from core.aws.invoke import Invocation
from services_registry.batches.answer import binary_opener
from services_registry.batches.chunks import add_chunks
from services_registry.batches.claims import Claim
from services_registry.batches.decide import Decision, Failure
from services_registry.capabilities import Capability, ItemFailed
from services_registry.choices import BatchState, ChunkState, Outcome
from services_registry.models import Batch
from services_registry.telemetry.parser import PlatformLine

logger = logging.getLogger(__name__)

MESSAGE_LENGTH = 2_000
STACK_LENGTH = 8_000
RESULT_LENGTH = 8_000
"""Characters of JSON kept beside an item; a function that has more to say stores it elsewhere."""
FREE_DIVISIONS = 16
"""A batch may divide chunks this often, and once more for every item that succeeded: searching for a bad item pays when
others are good, and a function that only fails must not be called twice for every item."""
JUDGED_FROM = 20
"""A share of failed items means something from so many settled ones on."""

_HOLD = """
SELECT 1 FROM services_registry_chunk WHERE id = %s AND worker = %s AND attempt = %s AND state = 'running' FOR UPDATE
"""
# All of it in one statement, and what is many as one JSON text: both take the least of our own time. Rows that succeeded
# are [id, ms, facts], rows that failed [id, outcome, type, message, ms].
_SETTLE = """
WITH held AS MATERIALIZED (
    SELECT id FROM services_registry_chunk
     WHERE id = %(id)s AND worker = %(worker)s AND attempt = %(attempt)s AND state = 'running' FOR UPDATE),
said AS (
    SELECT (e ->> 0)::bigint AS id, 'succeeded' AS state, 'succeeded' AS outcome, '' AS type, '' AS message,
           (e ->> 1)::float8 AS ms, nullif(e -> 2, 'null') AS facts
      FROM jsonb_array_elements(%(good)s::jsonb) AS e
    UNION ALL
    SELECT (e ->> 0)::bigint, 'failed', e ->> 1, e ->> 2, e ->> 3, (e ->> 4)::float8, NULL
      FROM jsonb_array_elements(%(bad)s::jsonb) AS e),
changed AS (
    UPDATE services_registry_batchitem i
       SET state = said.state, outcome = said.outcome, error_type = said.type, error_message = said.message,
           duration_ms = said.ms, result = said.facts, settled = now()
      FROM said, held WHERE i.id = said.id AND i.state = 'pending' RETURNING i.state),
counted AS (
    SELECT count(*) FILTER (WHERE state = 'succeeded') AS good, count(*) FILTER (WHERE state = 'failed') AS bad
      FROM changed),
closed AS (
    UPDATE services_registry_chunk c
       SET state = %(state)s, outcome = %(outcome)s, error_type = %(error_type)s, error_message = %(error_message)s,
           error_stack = %(error_stack)s, finished = CASE WHEN %(final)s THEN now() END, lease_until = NULL,
           worker = CASE WHEN %(final)s THEN worker ELSE '' END,
           attempt = attempt - %(uncounted)s, waits = waits + %(waited)s,
           waiting_since = CASE WHEN %(waited)s = 0 THEN NULL ELSE coalesce(waiting_since, now()) END,
           not_before = CASE WHEN %(pause)s::float8 IS NULL THEN NULL
                             ELSE now() + make_interval(secs => %(pause)s::float8) END,
           items_succeeded = items_succeeded + counted.good, items_failed = items_failed + counted.bad,
           items_total = items_total - %(moved)s,
           request_bytes = coalesce(%(request_bytes)s, request_bytes),
           response_bytes = coalesce(%(response_bytes)s, response_bytes),
           request_id = coalesce(%(request_id)s, request_id), seconds = coalesce(%(seconds)s, seconds),
           log_tail = coalesce(%(log_tail)s, log_tail), response = coalesce(%(response)s::jsonb, response),
           duration_ms = coalesce(%(duration_ms)s, duration_ms), init_ms = coalesce(%(init_ms)s, init_ms),
           memory_mb = coalesce(%(memory_mb)s, memory_mb),
           max_memory_mb = coalesce(%(max_memory_mb)s, max_memory_mb),
           billed_ms = CASE WHEN %(billed_ms)s::int IS NULL THEN billed_ms
                            ELSE coalesce(billed_ms, 0) + %(billed_ms)s::int END,
           billed_invocations = billed_invocations + CASE WHEN %(billed_ms)s::int IS NULL THEN 0 ELSE 1 END
      FROM held, counted WHERE c.id = held.id RETURNING 1)
UPDATE services_registry_batch b
   SET succeeded = b.succeeded + counted.good, failed = b.failed + counted.bad
  FROM counted, closed WHERE b.id = %(batch)s
RETURNING b.total, b.succeeded, b.failed, b.cancelled, b.state, b.cancel_requested, b.max_failed, b.max_failed_percent
"""
_COUNT_CANCELLED = """
UPDATE services_registry_batch SET cancelled = cancelled + %s WHERE id = %s
RETURNING total, succeeded, failed, cancelled, state, cancel_requested, max_failed, max_failed_percent
"""
_DIVIDE = """
UPDATE services_registry_batch SET splits = splits + 1 WHERE id = %s AND splits <= %s + succeeded RETURNING 1
"""
_CANCEL = """
WITH gone AS (
    UPDATE services_registry_chunk SET state = 'cancelled', outcome = 'cancelled', finished = now()
     WHERE batch_id = %s AND state = 'queued' RETURNING id),
dropped AS (
    UPDATE services_registry_batchitem SET state = 'cancelled', outcome = 'cancelled', settled = now()
     WHERE chunk_id IN (SELECT id FROM gone) AND state = 'pending' RETURNING 1)
SELECT count(*) FROM dropped
"""


@dataclass(slots=True)
class Counters:
    """A batch right after a change."""

    total: int
    succeeded: int
    failed: int
    cancelled: int
    state: str
    cancel_requested: bool
    max_failed: int | None
    max_failed_percent: int | None

    @property
    def settled(self) -> int:
        return self.succeeded + self.failed + self.cancelled

    def reason_to_halt(self) -> str:
        """Empty while the batch may go on."""
        if self.state != BatchState.RUNNING or not self.failed:
            return ""
        words = {"failed": self.failed, "settled": self.succeeded + self.failed}
        if self.max_failed is not None and self.failed > self.max_failed:
            limit = {**words, "limit": self.max_failed}
            return _("Halted: %(failed)s items failed, %(limit)s were allowed.") % limit
        enough = min(JUDGED_FROM, self.total)
        share = self.max_failed_percent
        if share is not None and words["settled"] >= enough and self.failed * 100 > share * words["settled"]:
            return _("Halted: %(failed)s of %(settled)s items failed, more than %(share)s %%.") % {
                **words,
                "share": share,
            }
        return ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the platform's REPORT states about one invocation. ms and MB."""

    duration_ms: float | None = None
    billed_ms: int | None = None
    init_ms: float | None = None
    memory_mb: int | None = None
    max_memory_mb: int | None = None

    @classmethod
    def of(cls, report: PlatformLine | None) -> Measured:
        if report is None:
            return cls()
        whole = [report.billed_ms, report.memory_mb, report.max_memory_mb]
        billed, memory, largest = (None if value is None else round(value) for value in whole)
        return cls(report.duration_ms, billed, report.init_ms, memory, largest)


def write(
    claim: Claim,
    decision: Decision,
    *,
    capability: Capability | None,
    invocation: Invocation | None = None,
    report: PlatformLine | None = None,
    request_bytes: int | None = None,
) -> bool:
    """Write a decision. False when the claim is no longer ours: then nothing was written, and nothing needs to be.

    Raises:
        DatabaseError: the database is away; everything may be tried again.
    """
    if capability is None and not decision.again and not decision.divide:
        with connection.cursor() as cursor:  # one statement is one transaction
            counters = _settle(cursor, claim, decision, decision.values, 0, invocation, report, request_bytes)
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_HOLD, [claim.chunk_id, claim.worker, claim.attempt])
            if cursor.fetchone() is None:
                return False
            results = _effects(claim, decision, capability)
            again, deeper = _kept_for_later(cursor, claim, decision)
            for key in (key for part in again for key in part):
                decision.failures.pop(key, None)
            _tell(capability, claim.batch, decision.failures)
            moved = add_chunks(cursor, claim, again, deeper=deeper)
            counters = _settle(cursor, claim, decision, results, moved, invocation, report, request_bytes)
    if counters is None:
        return False
    requeued = decision.pause_s is not None or bool(decision.again or decision.divide)
    follow_up(claim.batch.pk, counters, requeued=requeued)
    return True


def _settle(
    cursor: Any,
    claim: Claim,
    decision: Decision,
    results: Mapping[str, Mapping[str, Any] | None],
    moved: int,
    invocation: Invocation | None,
    report: PlatformLine | None,
    request_bytes: int | None,
) -> Counters | None:
    """None when the claim was lost."""
    ids, spent, failures = claim.ids, decision.durations, decision.failures
    if spent or any(results.values()):
        good = [[ids[key], spent.get(key), kept(facts)] for key, facts in results.items() if key in ids]
    else:
        good = [[ids[key]] for key in results if key in ids]
    bad = [
        [ids[key], str(one.outcome), one.type[:120], one.message[:MESSAGE_LENGTH], spent.get(key)]
        for key, one in failures.items()
        if key in ids
    ]
    values = _chunk_values(claim, decision, invocation, Measured.of(report), request_bytes)
    cursor.execute(
        _SETTLE, values | {"good": json_text(good), "bad": json_text(bad), "moved": moved, "batch": claim.batch.pk}
    )
    row = cursor.fetchone()
    return None if row is None else Counters(*row)


def json_text(rows: list[Any]) -> str:
    """As JSON text without NUL characters, which jsonb refuses."""
    text = json.dumps(rows, default=str)
    return text if "\\u0000" not in text else json.dumps(without_nul(rows), default=str)


def _effects(claim: Claim, decision: Decision, capability: Capability | None) -> Mapping[str, Mapping[str, Any] | None]:
    """Apply the values; what could not be applied becomes a failure. Returns the facts of the others."""
    if capability is None or not decision.values:
        return decision.values
    applied = capability.apply_many(decision.values, batch=claim.batch, open_binary=binary_opener(claim))
    facts: dict[str, Mapping[str, Any] | None] = {}
    for key in decision.values:
        result = applied.get(key)
        if isinstance(result, ItemFailed):
            decision.failures[key] = Failure(Outcome.ITEM_ERROR, result.type, result.message)
        else:
            facts[key] = result
    return facts


def _kept_for_later(cursor: Any, claim: Claim, decision: Decision) -> tuple[list[list[str]], bool]:
    """(keys of each new chunk, whether they are parts of a divided one)."""
    if not decision.divide:
        return ([decision.again] if decision.again else []), False
    cursor.execute(_DIVIDE, [claim.batch.pk, FREE_DIVISIONS])
    if cursor.fetchone() is None:
        return [], False
    middle = (len(decision.divide) + 1) // 2
    return [decision.divide[:middle], decision.divide[middle:]], True


def _tell(capability: Capability | None, batch: Batch, failures: Mapping[str, Failure]) -> None:
    """Tell the capability about items that failed for good; what it does wrong is logged and changes nothing."""
    if capability is None or type(capability).failed is Capability.failed:
        return
    for key, failure in failures.items():
        try:
            with transaction.atomic():
                capability.failed(key, error_type=failure.type, message=failure.message, batch=batch)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("capability not told of a failure batch=%s key=%s", batch.pk, key)


def _chunk_values(
    claim: Claim, decision: Decision, invocation: Invocation | None, measured: Measured, request_bytes: int | None
) -> dict[str, Any]:
    error_type, message, stack = decision.error
    put_off = decision.pause_s is not None
    response = None if decision.response is None else json.dumps(without_nul(decision.response))
    return {
        "id": claim.chunk_id, "worker": claim.worker, "attempt": claim.attempt,
        "state": decision.state, "outcome": decision.outcome, "final": decision.state in _FINAL,
        "error_type": clean(error_type, 120), "error_message": clean(message),
        "error_stack": clean(stack, STACK_LENGTH), "uncounted": int(decision.uncounted),
        "waited": int(put_off and not decision.in_turn),
        "pause": decision.pause_s, "request_bytes": request_bytes,
        "response_bytes": len(invocation.payload) if invocation else None,
        "request_id": invocation.request_id[:64] if invocation and invocation.request_id else None,
        "seconds": invocation.seconds if invocation else None,
        "log_tail": clean(invocation.log_tail, 8_000) if invocation and invocation.log_tail else None,
        "response": response, "duration_ms": measured.duration_ms, "billed_ms": measured.billed_ms,
        "init_ms": measured.init_ms, "memory_mb": measured.memory_mb, "max_memory_mb": measured.max_memory_mb,
    }  # fmt: skip


_FINAL = {ChunkState.DONE, ChunkState.FAILED, ChunkState.CANCELLED}


def follow_up(batch_id: UUID, counters: Counters, *, requeued: bool = False) -> None:
    """Cancel what came back into the queue of a cancelled batch, halt the batch, or finish it.

    After the change itself: when a crash comes between, `recover` does it.
    """
    if counters.cancel_requested and requeued:
        cancel_queued(batch_id)
    elif counters.settled >= counters.total:
        _finish(batch_id, BatchState.CANCELLED if counters.cancelled else BatchState.DONE)
    elif why := counters.reason_to_halt():
        Batch.objects.filter(pk=batch_id, state=BatchState.RUNNING).update(
            state=BatchState.HALTED, state_note=why[:300]
        )


def _finish(batch_id: UUID, state: BatchState) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE services_registry_batch SET state = %s, finished = now(), state_note = ''"
            " WHERE id = %s AND state IN ('running', 'paused', 'halted')",
            [state.value, batch_id],
        )
        finished = cursor.rowcount
    if finished:
        clear_exchange(batch_id)


def cancel_queued(batch_id: UUID) -> int:
    """Cancel what has not begun, and finish the batch when nothing is under way. Returns how many items."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CANCEL, [batch_id])
        cancelled = int(cursor.fetchone()[0])
        cursor.execute(_COUNT_CANCELLED, [cancelled, batch_id])
        counters = Counters(*cursor.fetchone())
    follow_up(batch_id, counters)
    return cancelled


def clear_exchange(batch_id: UUID) -> None:
    """Remove what a finished batch left in the exchange bucket; what stays expires there by itself."""
    try:
        storage.delete_prefix(f"requests/{batch_id}/")
        storage.delete_prefix(f"results/{batch_id}/")
    except AwsError as error:
        logger.info("exchange not cleared batch=%s error=%s", batch_id, error)


def kept(facts: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The facts to keep beside an item; a note instead of what is too large."""
    if not facts:
        return None
    size = len(json.dumps(facts, default=str))
    return facts if size <= RESULT_LENGTH else {"not_kept": f"{size} characters"}


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
