"""Handing chunks to workers: never more at once than a function may run, and in turns between batches."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from celery import current_app
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerDown

from services_registry.choices import BatchState, ChunkState
from services_registry.models import Batch, CapabilityBinding, Chunk

logger = logging.getLogger(__name__)

PUMP_LOCK = 7_305_002  # any number that no other advisory lock uses
BATCHES_AT_ONCE = 50
FunctionKey = tuple[str, str]


def pump() -> int:
    """Dispatch queued chunks to free places; returns how many. Safe to call at any time, from anywhere.

    One pump at a time decides (an advisory lock for a few milliseconds); the broker is told after the commit.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUMP_LOCK])
        now = timezone.now()
        chosen = _choose(now)
        Chunk.objects.filter(pk__in=chosen, state=ChunkState.QUEUED).update(dispatched=now)
        transaction.on_commit(lambda: enqueue(chosen))
    return len(chosen)


def enqueue(chunk_ids: Iterable[UUID]) -> None:
    """Tell the workers. A broker that is away loses nothing: `recover` dispatches again what nobody claimed."""
    for chunk_id in chunk_ids:
        if not _send("services_registry.run_chunk", [str(chunk_id)]):
            return


def pump_later(seconds: float) -> None:
    """Pump again when the chunks that AWS put off may go."""
    _send("services_registry.pump_batches", [], countdown=seconds)


def _send(name: str, arguments: list[str], countdown: float | None = None) -> bool:
    try:
        # By name: the tasks module imports this room, not the other way round.
        current_app.send_task(name, args=arguments, countdown=countdown, retry=False)
    except BrokerDown as error:
        logger.warning("broker not reached task=%s error=%s", name, error)
        return False
    return True


def _choose(now: datetime) -> list[UUID]:
    batches = list(
        Batch.objects.filter(state=BatchState.RUNNING, cancel_requested=False)
        .filter(pk__in=_ready(now).values("batch_id"))
        .order_by("created", "id")[:BATCHES_AT_ONCE]
    )
    by_function: dict[FunctionKey, list[Batch]] = defaultdict(list)
    for batch in batches:
        by_function[(batch.function_name, batch.region)].append(batch)
    limits = _limits(by_function)
    active, active_of_batch = _active()
    chosen: list[UUID] = []
    for function, waiting in by_function.items():
        free = limits[function] - active[function]
        if free > 0:
            chosen += _in_turns(waiting, free, active_of_batch, now)
    return chosen


def _ready(now: datetime) -> QuerySet[Chunk]:
    return Chunk.objects.filter(Q(not_before=None) | Q(not_before__lte=now), state=ChunkState.QUEUED, dispatched=None)


def _limits(by_function: dict[FunctionKey, list[Batch]]) -> dict[FunctionKey, int]:
    """Invocations at once of each function: its binding's as it is now, else the largest its batches were made with."""
    limits = {function: max(batch.concurrency for batch in batches) for function, batches in by_function.items()}
    bindings = CapabilityBinding.objects.filter(function_name__in={name for name, _region in by_function})
    bound: dict[str, int] = defaultdict(int)
    for binding in bindings:
        bound[binding.function_name] = max(bound[binding.function_name], binding.concurrency)
    return {function: bound.get(function[0]) or limit for function, limit in limits.items()}


def _active() -> tuple[Counter[FunctionKey], Counter[UUID]]:
    """Chunks running or on their way to a worker, by function and by batch."""
    rows = Chunk.objects.filter(
        Q(state=ChunkState.RUNNING) | Q(state=ChunkState.QUEUED, dispatched__isnull=False),
        batch__state=BatchState.RUNNING,
    ).values_list("batch_id", "batch__function_name", "batch__region")
    functions: Counter[FunctionKey] = Counter()
    batches: Counter[UUID] = Counter()
    for batch_id, name, region in rows:
        functions[(name, region)] += 1
        batches[batch_id] += 1
    return functions, batches


def _in_turns(waiting: list[Batch], free: int, active: Counter[UUID], now: datetime) -> list[UUID]:
    """The next `free` chunks: whoever has the fewest under way comes first, then the older batch."""
    queues = {
        batch.pk: list(_ready(now).filter(batch=batch).order_by("position").values_list("pk", flat=True)[:free])
        for batch in waiting
    }
    turns = [
        (active[batch.pk] + turn, age, chunk_id)
        for age, batch in enumerate(waiting)
        for turn, chunk_id in enumerate(queues[batch.pk])
    ]
    turns.sort(key=lambda one: one[:2])
    return [chunk_id for _turn, _age, chunk_id in turns[:free]]


def stale_dispatches(older_than: timedelta) -> list[UUID]:
    """Chunks dispatched a while ago that nobody claimed; marked as dispatched now."""
    now = timezone.now()
    stale = Chunk.objects.filter(
        state=ChunkState.QUEUED, dispatched__lt=now - older_than, batch__state=BatchState.RUNNING
    )
    ids = list(stale.values_list("pk", flat=True)[:1000])
    Chunk.objects.filter(pk__in=ids, state=ChunkState.QUEUED).update(dispatched=now)
    return ids
