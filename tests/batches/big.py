"""Large batches as rows, made by the database itself: half done, forty chunks under way, the rest waiting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from services_registry.models import Batch, BatchItem, Chunk

UNDER_WAY = 40
AGE = timedelta(minutes=10)
_CHUNKS = """
INSERT INTO services_registry_chunk SELECT (jsonb_populate_record(c, jsonb_build_object(
    'id', lpad(to_hex(n), 32, '0')::uuid, 'position', n - 1, 'items_total', %(size)s,
    'state', CASE WHEN n <= %(done)s THEN 'done' WHEN n <= %(done)s + %(busy)s THEN 'running' ELSE 'queued' END,
    'attempt', (n <= %(done)s + %(busy)s)::int,
    'items_succeeded', CASE WHEN n <= %(done)s THEN %(size)s - (n %% 10 = 0)::int ELSE 0 END,
    'items_failed', (n <= %(done)s AND n %% 10 = 0)::int,
    'started', %(now)s::timestamptz, 'seconds', 1 + n %% 7, 'outcome', CASE WHEN n <= %(done)s THEN 'succeeded' ELSE '' END,
    'finished', CASE WHEN n <= %(done)s THEN %(now)s::timestamptz - make_interval(secs => (%(done)s - n) / 100.0) END
))).* FROM services_registry_chunk c, generate_series(1, %(chunks)s) n WHERE c.batch_id = %(batch)s
"""
_ITEMS = """
INSERT INTO services_registry_batchitem SELECT (jsonb_populate_record(i, jsonb_build_object(
    'id', 1000000 + n, 'position', n, 'key', 'k' || n, 'label', 'item ' || n,
    'chunk_id', lpad(to_hex(n / %(size)s + 1), 32, '0')::uuid, 'duration_ms', 10 + n %% 90,
    'state', CASE WHEN n / %(size)s >= %(done)s THEN 'pending'
             WHEN n %% %(size)s = 0 AND (n / %(size)s + 1) %% 10 = 0 THEN 'failed' ELSE 'succeeded' END,
    'error_type', CASE WHEN n %% %(size)s = 0 AND (n / %(size)s + 1) %% 10 = 0 THEN 'NotFound' ELSE '' END
))).* FROM services_registry_batchitem i, generate_series(0, %(chunks)s * %(size)s - 1) n WHERE i.batch_id = %(batch)s
"""


def big_batch(*, chunks: int, size: int = 1) -> Batch:
    """A running batch of `chunks` chunks of `size` items, started ten minutes ago; every tenth finished chunk failed
    one item. Call it inside a test's transaction."""
    now = timezone.now()
    batch = Batch.objects.create(
        title="large", function_name="f", total=chunks * size, chunk_size=size, concurrency=UNDER_WAY,
        created=now - AGE,
    )  # fmt: skip
    pattern = Chunk.objects.create(batch=batch, position=10**6)
    item = BatchItem.objects.create(batch=batch, position=10**6, key="pattern")
    values: dict[str, Any] = {
        "batch": batch.pk, "chunks": chunks, "size": size, "done": chunks // 2, "busy": UNDER_WAY, "now": now,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_CHUNKS, values)
        cursor.execute(_ITEMS, values)
        pattern.delete()
        item.delete()
        cursor.execute("ANALYZE services_registry_chunk, services_registry_batchitem")
    batch.failed = batch.items.filter(state="failed").count()
    batch.succeeded = batch.items.filter(state="succeeded").count()
    batch.save()
    return batch
