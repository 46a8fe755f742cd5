"""Doing anything twice changes nothing: starting, running, recovering, retrying, cancelling."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from core.models import AuditEntry
from services_registry.batches import BatchError, cancel_batch, recover, retry_failed, start_batch, start_run
from services_registry.batches.claims import Claim, Claims
from services_registry.batches.gates import Gates
from services_registry.batches.run import ask, write
from services_registry.batches.runner import Runner
from services_registry.choices import BatchState, ChunkState
from services_registry.models import Batch, Chunk
from tests.batches.test_outcomes import play

Work = Callable[..., Batch]


def lapse(chunk: Chunk) -> None:
    """As if the worker had vanished a while ago."""
    Chunk.objects.filter(pk=chunk.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def run(*claims: Claim) -> None:
    """What a worker's thread does with what was claimed."""
    for claim in claims:
        write(ask(claim, Gates()))


@pytest.mark.slow
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


def test_a_key_with_another_selection_is_refused(toy: str) -> None:
    play("ok-1", idempotency_key="once")
    with pytest.raises(BatchError, match="already belongs"):
        play("ok-1", "ok-2", idempotency_key="once")
    assert Batch.objects.count() == 1


def test_an_empty_selection_is_refused_in_words(toy: str) -> None:
    with pytest.raises(BatchError, match="holds no toys"):
        start_batch(capability="toy", selection={"keys": []}, actor=None, source="test")
    assert not Batch.objects.exists()


@pytest.mark.slow
def test_a_chunk_that_two_workers_run_applies_once(toy: str) -> None:
    chunk = play("slow-1").chunks.get()
    (first,) = Claims().take(8)
    thread = threading.Thread(target=run, args=(first,))
    thread.start()
    time.sleep(0.3)
    lapse(chunk)
    recover()
    (second,) = Claims().take(8)
    run(second)
    thread.join(30)
    batch = Batch.objects.get()
    assert Chunk.objects.get().attempt == 2, "both really ran"
    assert (batch.state, batch.succeeded) == (BatchState.DONE, 1)
    assert AuditEntry.objects.filter(verb="toy.applied").count() == 1


def test_an_answer_that_comes_after_the_lease_ran_out_changes_nothing(toy: str) -> None:
    chunk = play("ok-1").chunks.get()
    (lost,) = Claims().take(8)
    lapse(chunk)
    recover()
    (second,) = Claims().take(8)
    run(second)
    run(lost)
    batch = Batch.objects.get()
    assert (batch.succeeded, batch.failed, batch.state) == (1, 0, BatchState.DONE)
    assert AuditEntry.objects.filter(verb="toy.applied").count() == 1


@pytest.mark.slow
def test_a_chunk_whose_worker_vanished_is_done_by_another(toy: str, work: Work) -> None:
    batch = play("ok-1", "ok-2")
    assert len(Claims().take(8)) == 1
    assert Claims().take(8) == [], "a claimed chunk is not to be had"
    recover()
    assert Chunk.objects.get().state == ChunkState.RUNNING, "its lease still holds"
    lapse(batch.chunks.get())
    assert recover() == 1
    assert work(batch).succeeded == 2


@pytest.mark.slow
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_loses_and_repeats_nothing(toy: str, work: Work, hours: int) -> None:
    batch = play("ok-1", "ok-2", "ok-3", "ok-4", "ok-5")
    Claims().take(1)
    jump = timedelta(hours=hours)
    Chunk.objects.filter(state=ChunkState.RUNNING).update(lease_until=F("lease_until") + jump)
    Chunk.objects.filter(state=ChunkState.QUEUED).update(not_before=timezone.now() + jump)
    assert work(batch).succeeded == 5
    assert AuditEntry.objects.filter(verb="toy.applied").count() == 5


def test_a_plain_run_whose_worker_vanished_is_looked_up_and_not_sent_again(toy: str) -> None:
    batch = start_run(function_name="toy-batch-function", payload={}, actor=None, source="test")
    Claims().take(8)
    lapse(batch.chunks.get())
    recover()
    assert batch.chunks.get().state == ChunkState.CHECKING
    assert Claims().take(8) == [], "it is not invoked again"


def test_an_idle_runner_finds_work_without_any_message(toy: str) -> None:
    batch = play("ok-1")
    runner = Runner(threads=2)
    runner.start()
    try:
        deadline = time.monotonic() + 20
        while Batch.objects.get().state != BatchState.DONE and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        runner.stop()
    batch.refresh_from_db()
    assert (batch.state, batch.succeeded) == (BatchState.DONE, 1)


@pytest.mark.slow
def test_retry_takes_exactly_the_failed_items(toy: str, work: Work, operator: User) -> None:
    batch = work(play("ok-1", "error-2", "ok-3", "error-4"))
    child = retry_failed(batch, actor=operator)
    assert list(child.items.values_list("key", flat=True)) == ["error-2", "error-4"]
    assert (child.parent_id, child.created_by) == (batch.pk, operator)
    with pytest.raises(BatchError, match="already being retried"):
        retry_failed(batch, actor=operator)


@pytest.mark.slow
def test_a_batch_without_failures_cannot_be_retried(toy: str, work: Work) -> None:
    with pytest.raises(BatchError, match="Nothing failed"):
        retry_failed(work(play("ok-1")), actor=None)


def test_cancel_keeps_what_is_done_and_cancels_the_rest_once(toy: str, operator: User) -> None:
    batch = play(*[f"ok-{n}" for n in range(12)])
    claims = Claims()
    run(*claims.take(1))
    (claimed,) = claims.take(1)
    assert cancel_batch(batch, actor=operator, source="test")
    assert not cancel_batch(batch, actor=operator, source="test")
    batch.refresh_from_db()
    assert (batch.state, batch.succeeded, batch.cancelled) == (BatchState.RUNNING, 4, 4)
    assert claims.take(8) == [], "nothing new begins"
    time.sleep(0.1)
    run(claimed)
    batch.refresh_from_db()
    assert (batch.state, batch.succeeded, batch.cancelled) == (BatchState.CANCELLED, 4, 8)
    assert batch.chunks.get(position=1).request_id == "", "claimed before the click, and not sent after it"


def test_a_big_batch_does_not_starve_a_small_one(toy: str) -> None:
    play(*[f"ok-{n}" for n in range(40)])
    claims = Claims()
    first = claims.take(8)
    assert len(first) == 2, "never more than the function's concurrency"
    small = play("ok-100")
    run(first[0])
    assert [claim.batch for claim in claims.take(8)] == [small]
