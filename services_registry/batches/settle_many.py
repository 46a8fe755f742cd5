"""Settling what nearly every chunk of plain payloads comes to: every item succeeded. Many chunks in one statement.

As everywhere, only whoever still holds the claim may write, and only items that are still pending change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from services_registry.batches import settle
from services_registry.batches.run import Worked
from services_registry.choices import OPEN_BATCHES

_STATEMENT = """
WITH said AS (
    SELECT * FROM json_to_recordset(%s) AS t(id uuid, worker text, attempt int, request_bytes bigint,
        response_bytes bigint, request_id text, seconds float8, log_tail text, duration_ms float8, billed_ms int,
        init_ms float8, memory_mb int, max_memory_mb int)),
mine AS (
    SELECT said.* FROM services_registry_chunk c JOIN said ON said.id = c.id
     WHERE c.worker = said.worker AND c.attempt = said.attempt AND c.state = 'running' ORDER BY c.id FOR UPDATE OF c),
facts AS (SELECT * FROM json_to_recordset(%s) AS t(id bigint, ms float8, result jsonb)),
changed AS (
    UPDATE services_registry_batchitem i SET state = 'succeeded', outcome = 'succeeded', settled = now()FACTS
     WHERE i.chunk_id = mine.id AND i.state = 'pending' RETURNING i.chunk_id),
counted AS (SELECT chunk_id, count(*) AS items FROM changed GROUP BY chunk_id),
closed AS (
    UPDATE services_registry_chunk c
       SET state = 'done', outcome = 'succeeded', error_type = '', error_message = '', error_stack = '',
           finished = now(), lease_until = NULL, waiting_since = NULL, not_before = NULL,
           items_succeeded = c.items_succeeded + coalesce(counted.items, 0),
           request_bytes = coalesce(mine.request_bytes, c.request_bytes), response_bytes = mine.response_bytes,
           request_id = mine.request_id, seconds = mine.seconds, log_tail = mine.log_tail,
           duration_ms = coalesce(mine.duration_ms, c.duration_ms), init_ms = coalesce(mine.init_ms, c.init_ms),
           memory_mb = coalesce(mine.memory_mb, c.memory_mb),
           max_memory_mb = coalesce(mine.max_memory_mb, c.max_memory_mb),
           billed_ms = coalesce(c.billed_ms + mine.billed_ms, mine.billed_ms, c.billed_ms),
           billed_invocations = c.billed_invocations + CASE WHEN mine.billed_ms IS NULL THEN 0 ELSE 1 END
      FROM mine LEFT JOIN counted ON counted.chunk_id = mine.id WHERE c.id = mine.id)
UPDATE services_registry_batch b
   SET succeeded = b.succeeded + (SELECT count(*) FROM changed),
       state = CASE WHEN b.succeeded + b.failed + b.cancelled + (SELECT count(*) FROM changed) < b.total THEN b.state
                    WHEN b.cancelled > 0 THEN 'cancelled' ELSE 'done' END,
       finished = CASE WHEN b.succeeded + b.failed + b.cancelled + (SELECT count(*) FROM changed) < b.total
                       THEN b.finished ELSE now() END
 WHERE b.id = %s AND EXISTS (SELECT 1 FROM mine)
RETURNING b.state
"""
_WITHOUT = _STATEMENT.replace("FACTS", " FROM mine")
_WITH = _STATEMENT.replace(
    "FACTS", ", duration_ms = facts.ms, result = nullif(facts.result, 'null') FROM mine, facts"
).replace("WHERE i.chunk_id = mine.id AND", "WHERE i.id = facts.id AND i.chunk_id = mine.id AND")


def write_successes(successes: Sequence[Worked]) -> list[UUID]:
    """Write them, one transaction for each batch: batches are locked one at a time. Returns the batches that are over.

    Raises:
        DatabaseError: the database is away; what was not written may be tried again, what was is not written twice.
    """
    over: list[UUID] = []
    by_batch: defaultdict[tuple[UUID, bool], list[Worked]] = defaultdict(list)
    for success in successes:
        by_batch[success.claim.batch.pk, _has_facts(success)].append(success)
    for (batch_id, with_facts), group in by_batch.items():
        facts = [fact for success in group for fact in _facts(success)] if with_facts else []
        rows, listed = settle.json_text([_row(success) for success in group]), settle.json_text(facts)
        with connection.cursor() as cursor:
            cursor.execute(_WITH if with_facts else _WITHOUT, [rows, listed, batch_id])
            row = cursor.fetchone()
        if row is not None and row[0] not in OPEN_BATCHES:
            over.append(batch_id)
    return over


def _has_facts(success: Worked) -> bool:
    return bool(success.decision.durations) or any(success.decision.values.values())


def _facts(success: Worked) -> list[dict[str, Any]]:
    decision, ids = success.decision, success.claim.ids
    return [
        {"id": ids[key], "ms": decision.durations.get(key), "result": settle.kept(value)}
        for key, value in decision.values.items()
    ]


def _row(success: Worked) -> dict[str, Any]:
    claim, invocation, measured = success.claim, success.invocation, settle.Measured.of(success.report)
    return {
        "id": str(claim.chunk_id), "worker": claim.worker, "attempt": claim.attempt,
        "request_bytes": success.request_bytes, "response_bytes": len(invocation.payload) if invocation else None,
        "request_id": invocation.request_id[:64] if invocation else "",
        "seconds": invocation.seconds if invocation else None,
        "log_tail": settle.clean(invocation.log_tail, 8_000) if invocation else "",
        "duration_ms": measured.duration_ms, "billed_ms": measured.billed_ms, "init_ms": measured.init_ms,
        "memory_mb": measured.memory_mb, "max_memory_mb": measured.max_memory_mb,
    }  # fmt: skip
