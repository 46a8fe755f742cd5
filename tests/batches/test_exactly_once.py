"""Doing anything twice changes nothing: starting, running, recovering, retrying, cancelling."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from core.models import AuditEntry
from services_registry import tasks
from services_registry.batches import BatchError, cancel_batch, recover, retry_failed, start_batch, start_run
from services_registry.batches.leases import claim
from services_registry.choices import BatchState, ChunkState
from services_registry.models import Batch, BatchItem, Chunk
from tests.batches.test_outcomes import play

Work = Callable[..., Batch]


def lapse(chunk: Chunk) -> None:
    """As if the worker had vanished a while ago."""
    Chunk.objects.filter(pk=chunk.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_the_same_key_is_the_same_batch(toy: str, work: Work) -> None:
    first = play("ok-1", idempotency_key="once")
    second = play("ok-1", idempotency_key="once")
    assert first.pk == second.pk
    assert work(first).succeeded == 1
    assert Batch.objects.count() == 1


def test_a_key_of_other_work_is_refused(toy: str) -> None:
    play("ok-1", idempotency_key="once")
    with pytest.raises(BatchError, match="already belongs"):
        start_run(function_name="toy-batch-function", payload={}, actor=None, source="test", idempotency_key="once")


def test_an_empty_selection_is_refused_in_words(toy: str) -> None:
    with pytest.raises(BatchError, match="holds no toys"):
        start_batch(capability="toy", selection={"keys": []}, actor=None, source="test")
    assert not Batch.objects.exists()


def test_a_chunk_that_two_workers_run_applies_once(toy: str) -> None:
    chunk = play("slow-1").chunks.get()

    def first_worker() -> None:
        try:
            tasks.run_chunk(str(chunk.pk))
        finally:
            connection.close()

    thread = threading.Thread(target=first_worker)
    thread.start()
    while not Chunk.objects.filter(pk=chunk.pk, state=ChunkState.RUNNING).exists():
        time.sleep(0.02)
    time.sleep(0.3)
    lapse(chunk)
    recover()
    tasks.run_chunk(str(chunk.pk))
    thread.join(30)
    batch = Batch.objects.get()
    assert Chunk.objects.get().attempt == 2, "both really ran"
    assert (batch.state, batch.succeeded) == (BatchState.DONE, 1)
    assert AuditEntry.objects.filter(verb="toy.applied").count() == 1


def test_a_chunk_whose_worker_vanished_is_done_by_another(toy: str, work: Work) -> None:
    batch = play("ok-1", "ok-2")
    chunk = batch.chunks.get()
    assert claim(chunk.pk)
    assert claim(chunk.pk) == "", "a claimed chunk is not to be had"
    recover()
    assert Chunk.objects.get().state == ChunkState.RUNNING, "its lease still holds"
    lapse(chunk)
    assert recover() == 1
    assert work(batch).succeeded == 2


def test_a_plain_run_whose_worker_vanished_is_not_sent_again(toy: str) -> None:
    batch = start_run(function_name="toy-batch-function", payload={}, actor=None, source="test")
    claim(batch.chunks.get().pk)
    lapse(batch.chunks.get())
    recover()
    batch.refresh_from_db()
    assert (batch.state, batch.failed) == (BatchState.DONE, 1)
    assert batch.items.get().error_type == "WorkerLost"


def test_a_lost_message_is_sent_again(toy: str) -> None:
    chunk = play("ok-1").chunks.get()
    long_ago = timezone.now() - timedelta(minutes=1)
    Chunk.objects.filter(pk=chunk.pk).update(dispatched=long_ago)
    assert recover() == 1
    chunk.refresh_from_db()
    assert chunk.dispatched is not None and chunk.dispatched > long_ago


def test_retry_takes_exactly_the_failed_items(toy: str, work: Work, operator: User) -> None:
    batch = work(play("ok-1", "error-2", "ok-3", "error-4"))
    child = retry_failed(batch, actor=operator)
    assert list(child.items.values_list("key", flat=True)) == ["error-2", "error-4"]
    assert (child.parent_id, child.created_by) == (batch.pk, operator)
    with pytest.raises(BatchError, match="already being retried"):
        retry_failed(batch, actor=operator)


def test_a_batch_without_failures_cannot_be_retried(toy: str, work: Work) -> None:
    with pytest.raises(BatchError, match="Nothing failed"):
        retry_failed(work(play("ok-1")), actor=None)


def test_cancel_keeps_what_is_done_and_cancels_the_rest_once(toy: str, operator: User) -> None:
    batch = play(*[f"ok-{n}" for n in range(12)])
    tasks.run_chunk(str(batch.chunks.get(position=0).pk))
    assert cancel_batch(batch, actor=operator, source="test")
    assert not cancel_batch(batch, actor=operator, source="test")
    batch.refresh_from_db()
    assert (batch.state, batch.succeeded, batch.cancelled) == (BatchState.CANCELLED, 4, 8)
    for chunk in batch.chunks.all():
        tasks.run_chunk(str(chunk.pk))
    assert BatchItem.objects.filter(state="succeeded").count() == 4


def test_a_big_batch_does_not_starve_a_small_one(toy: str) -> None:
    big = play(*[f"ok-{n}" for n in range(40)])
    small = play("ok-100")
    tasks.run_chunk(str(big.chunks.get(position=0).pk))
    assert small.chunks.get().dispatched is not None
    under_way = Chunk.objects.filter(state=ChunkState.QUEUED, dispatched__isnull=False)
    assert under_way.count() == 2, "never more than the function's concurrency"
