"""Batches made before: those of a capability may be repeated, and chunks know how many items they hold."""

from django.db import migrations

FILL = """
UPDATE services_registry_batch SET repeatable = true WHERE capability <> '';
UPDATE services_registry_chunk AS chunk
   SET items_total = counted.n, items_succeeded = counted.succeeded, items_failed = counted.failed,
       billed_invocations = CASE WHEN chunk.billed_ms IS NULL THEN 0 ELSE 1 END
  FROM (SELECT chunk_id, count(*) AS n, count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
               count(*) FILTER (WHERE state = 'failed') AS failed
          FROM services_registry_batchitem WHERE chunk_id IS NOT NULL GROUP BY chunk_id) AS counted
 WHERE counted.chunk_id = chunk.id;
"""


class Migration(migrations.Migration):
    dependencies = [("services_registry", "0002_batches_at_scale")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
