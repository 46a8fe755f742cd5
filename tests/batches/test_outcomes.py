"""What becomes of items, chunks and batches for each thing an invocation can come to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.models import AuditEntry
from services_registry.batches import start_batch, start_run
from services_registry.choices import BatchState, ChunkState, Outcome
from services_registry.models import Batch, CapabilityBinding

Work = Callable[..., Batch]


def play(*keys: str, **options: object) -> Batch:
    return start_batch(
        capability="toy",
        selection={"keys": list(keys)},
        actor=None,
        source="test",
        **options,  # type: ignore[arg-type]
    )


def errors_of(batch: Batch) -> dict[str, str]:
    return dict(batch.items.filter(state="failed").values_list("key", "error_type"))


@pytest.mark.slow
def test_every_item_is_applied_once_and_counted(toy: str, work: Work) -> None:
    batch = work(play(*[f"ok-{n}" for n in range(10)]))
    assert (batch.state, batch.succeeded, batch.failed, batch.pending) == (BatchState.DONE, 10, 0, 0)
    assert AuditEntry.objects.filter(verb="toy.applied").count() == 10
    assert batch.chunks.count() == 3
    assert batch.items.get(key="ok-3").result == {"said": "ok-3"}


@pytest.mark.slow
def test_a_chunk_keeps_request_id_durations_and_cold_start(toy: str, work: Work) -> None:
    chunk = work(play("ok-1")).chunks.get()
    assert chunk.outcome == Outcome.SUCCEEDED
    assert chunk.request_id
    assert chunk.duration_ms is not None and chunk.billed_ms is not None and chunk.memory_mb == 128
    assert "REPORT RequestId" in chunk.log_tail


@pytest.mark.slow
def test_an_item_fails_while_its_chunk_succeeds(toy: str, work: Work) -> None:
    batch = work(play("ok-1", "error-2", "ok-3"))
    assert (batch.succeeded, batch.failed) == (2, 1)
    assert batch.items.get(key="error-2").error_message == "asked to fail"
    assert batch.chunks.get().state == ChunkState.DONE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "error_type"),
    [("silent-1", "NoAnswer"), ("gone-1", "Gone"), ("refused-1", "Refused"), ("file-1", "Corrupt")],
)
def test_an_item_fails_by_name(toy: str, work: Work, key: str, error_type: str) -> None:
    batch = work(play(key, "ok-2"))
    assert errors_of(batch) == {key: error_type}
    assert not AuditEntry.objects.filter(verb="toy.applied", target=key).exists(), "a refused effect is rolled back"


@pytest.mark.slow
def test_an_item_that_breaks_its_chunk_is_found_and_fails_alone(toy: str, work: Work) -> None:
    batch = work(play("crash-1", "ok-2", "ok-3", "ok-4", "ok-5@other"))
    assert errors_of(batch) == {"crash-1": "RuntimeError"}
    assert batch.succeeded == 4
    chunk = batch.chunks.get(position=0)
    assert (chunk.state, chunk.outcome) == (ChunkState.FAILED, Outcome.FUNCTION_ERROR)
    assert chunk.error_message == "asked to crash"
    assert "raise RuntimeError" in chunk.error_stack
    assert max(batch.chunks.values_list("depth", flat=True)) == 2


@pytest.mark.slow
def test_an_item_that_takes_too_long_is_found_and_times_out_alone(toy: str, work: Work) -> None:
    batch = work(play("sleep-1", "ok-2", "ok-3", "ok-4"))
    assert batch.succeeded == 3
    assert list(batch.items.filter(outcome=Outcome.TIMED_OUT).values_list("key", flat=True)) == ["sleep-1"]


@pytest.mark.slow
def test_a_function_that_only_fails_is_not_called_for_every_item(toy: str, work: Work) -> None:
    Batch.objects.all().delete()
    CapabilityBinding.objects.create(capability="toy", function_name="toy-batch-function", chunk_size=64)
    batch = work(play(*[f"crash-{n}" for n in range(128)]))
    assert (batch.failed, batch.splits) == (128, 17)
    assert batch.chunks.count() == 2 + 17 * 2


@pytest.mark.slow
def test_what_the_function_hands_back_is_done_by_another_invocation(toy: str, work: Work) -> None:
    batch = work(play("ok-1", "later-2"))
    assert (batch.succeeded, batch.failed, batch.chunks.count()) == (2, 0, 2)


@pytest.mark.slow
def test_chunks_never_mix_groups(toy: str, work: Work) -> None:
    batch = work(play("ok-1@a", "ok-2@b", "ok-3@a"))
    assert sorted(batch.chunks.values_list("group", flat=True)) == ["a", "b"]


@pytest.mark.slow
def test_a_throttled_chunk_waits_and_goes_on_without_a_lost_attempt(
    stopped: Callable[[], None], toy: str, work: Work
) -> None:
    batch = play("ok-1")
    with pytest.raises(pytest.fail.Exception):
        work(batch, patience_s=1)
    chunk = batch.chunks.get()
    assert (chunk.state, chunk.attempt) == (ChunkState.QUEUED, 0)
    assert chunk.waits >= 1
    assert chunk.outcome == Outcome.THROTTLED
    stopped()
    assert work(batch).succeeded == 1
    assert batch.chunks.get().attempt == 1


@pytest.mark.slow
def test_a_plain_run_keeps_the_answer(toy: str, work: Work) -> None:
    batch = work(start_run(function_name="toy-batch-function", payload={"a": 1}, actor=None, source="test"))
    assert batch.succeeded == 1
    assert batch.chunks.get().response == {"echo": {"a": 1}}


@pytest.mark.slow
def test_a_plain_run_of_a_function_that_does_not_exist_is_rejected_by_name(toy: str, work: Work) -> None:
    batch = work(start_run(function_name="no-such-function", payload={}, actor=None, source="test"))
    assert batch.items.get().outcome == Outcome.REJECTED
    assert batch.items.get().error_type == "ResourceNotFoundException"
