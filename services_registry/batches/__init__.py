"""How a batch runs.

1. `start_batch` (or `start_runs`) asks what the selection means, has it planned (`plan`), cuts the items into chunks and
   stores it all in one transaction; the idempotency key makes a second click the same batch.
2. The `runner` of each worker process claims queued chunks (`claims`), up to the limits of function, batch and platform,
   in fair turns between people and batches (`fair`), and stepping back where AWS throttles (`gates`).
3. `run` builds the request, invokes, and `decide`s; `settle` writes chunk, items, effects and counters in one
   transaction, so that a chunk that runs twice counts once.
4. Put off by AWS -> queued again after a pause. Timed out, failed or too large -> once more in halves, until a bad item is
   alone. Answer lost -> sent again if that is harmless, else its log is asked (`checking`). Worker gone -> its lease runs
   out and `recover` queues the chunk again.
5. `control`: pause, resume, adjust, cancel. A batch halts by itself beyond its failure threshold, and is finished when
   nothing is pending. `retry_failed` makes a child of exactly its failed items.

The truth is in Postgres; the broker only wakes the runners up.
"""

from services_registry.batches.control import (
    RedrivePreview,
    UnderWay,
    adjust_batch,
    cancel_batch,
    pause_batch,
    redrive_preview,
    resume_batch,
    retry_failed,
    under_way,
)
from services_registry.batches.errors import BatchError
from services_registry.batches.plan import Plan, plan_batch, plan_items, plan_run
from services_registry.batches.recover import recover
from services_registry.batches.runner import drain, this_runner
from services_registry.batches.start import start_batch, start_run, start_runs
from services_registry.batches.wake import wake

__all__ = [
    "BatchError",
    "Plan",
    "RedrivePreview",
    "UnderWay",
    "adjust_batch",
    "cancel_batch",
    "drain",
    "pause_batch",
    "plan_batch",
    "plan_items",
    "plan_run",
    "recover",
    "redrive_preview",
    "resume_batch",
    "retry_failed",
    "this_runner",
    "start_batch",
    "start_run",
    "start_runs",
    "under_way",
    "wake",
]
