"""How a batch runs.

1. `start_batch` asks the capability what the selection means, cuts the items into chunks and stores it all in one
   transaction; the idempotency key makes a second click the same batch.
2. `pump` hands queued chunks to workers, up to each function's concurrency, in turns between batches.
3. `run_chunk` claims a chunk (conditional update, lease), builds the request, invokes, and settles every item: its
   state, its effect and the batch's counter in one transaction, so that a chunk that runs twice counts once.
4. Put off by AWS -> queued again with back-off. Timed out -> once more in halves. Worker gone -> its lease runs out and
   `recover` queues the chunk again.
5. The batch is finished when nothing is pending. `retry_failed` makes a child of exactly its failed items.

The truth is in Postgres; the broker carries only ids.
"""

from services_registry.batches.control import cancel_batch, retry_failed
from services_registry.batches.dispatch import pump
from services_registry.batches.errors import BatchError
from services_registry.batches.plan import Plan, plan_batch
from services_registry.batches.recover import recover
from services_registry.batches.run import run_chunk
from services_registry.batches.start import start_batch, start_run

__all__ = [
    "BatchError",
    "Plan",
    "cancel_batch",
    "plan_batch",
    "pump",
    "recover",
    "retry_failed",
    "run_chunk",
    "start_batch",
    "start_run",
]
