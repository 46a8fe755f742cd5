"""What people can do while a batch runs: pause, resume, lower and raise limits, thresholds, priorities."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db.models import Max

from core.models import AuditEntry
from services_registry.batches import (
    BatchError,
    adjust_batch,
    drain,
    pause_batch,
    resume_batch,
    start_runs,
    under_way,
)
from services_registry.batches.claims import Claims
from services_registry.batches.fair import Open, allocate
from services_registry.choices import BatchState, ChunkState, Priority
from services_registry.models import Batch, CapabilityBinding, EngineSettings, Function
from tests.batches.conftest import FUNCTION
from tests.batches.test_outcomes import play
from tests.factories import make_user

Work = Callable[..., Batch]


def twenty(**options: object) -> Batch:
    return play(*[f"ok-{n}" for n in range(20)], **options)


@pytest.mark.slow
def test_a_paused_batch_begins_nothing_until_it_is_resumed(toy: str, work: Work, operator: User) -> None:
    batch = twenty()
    assert pause_batch(batch, actor=operator, source="test", reason="the carrier called")
    assert not pause_batch(batch, actor=operator, source="test")
    assert (batch.state, batch.state_note) == (BatchState.PAUSED, "the carrier called")
    assert Claims().take(8) == []
    assert resume_batch(batch, actor=operator, source="test")
    assert work(batch).succeeded == 20
    assert set(AuditEntry.objects.filter(verb__startswith="batch.p").values_list("reason", flat=True)) == {
        "the carrier called"
    }


@pytest.mark.slow
def test_a_batch_halts_beyond_its_share_of_failures_and_can_go_on(toy: str, work: Work, operator: User) -> None:
    CapabilityBinding.objects.create(capability="toy", function_name=FUNCTION, chunk_size=5, concurrency=1)
    keys = [f"error-{n}" for n in range(20)] + [f"ok-{n}" for n in range(20, 60)]
    batch = play(*keys, max_failed_percent=50)
    assert drain(lambda: Batch.objects.filter(state=BatchState.HALTED).exists(), 60)
    batch.refresh_from_db()
    assert "20 of 20 items failed" in batch.state_note
    assert batch.settled == 20, "nothing was begun after the threshold"
    assert resume_batch(batch, actor=operator, source="test")
    assert (work(batch).succeeded, batch.failed) == (40, 20)


@pytest.mark.slow
def test_a_batch_halts_beyond_its_count_of_failures(toy: str, work: Work) -> None:
    batch = play(*[f"error-{n}" for n in range(30)], max_failed=3)
    assert drain(lambda: Batch.objects.filter(state=BatchState.HALTED).exists(), 60)
    batch.refresh_from_db()
    assert 3 < batch.failed < 30


def test_limits_hold_from_the_next_invocation_on(toy: str, operator: User) -> None:
    batch = twenty()
    claims = Claims()
    assert len(claims.take(8)) == 2, "as the capability says"
    adjust_batch(batch, actor=operator, source="test", concurrency=1)
    assert claims.take(8) == [], "what is under way holds its places"
    Function.objects.filter(name=FUNCTION).update(dispatch_limit=4)
    adjust_batch(batch, actor=operator, source="test", concurrency=4)
    assert len(Claims().take(8)) == 2
    EngineSettings.objects.update_or_create(pk=1, defaults={"concurrency": 4})
    adjust_batch(batch, actor=operator, source="test", concurrency=8)
    Function.objects.filter(name=FUNCTION).update(dispatch_limit=8)
    assert Claims().take(8) == [], "all batches together have their limit, too"


def test_a_limit_that_makes_no_sense_is_refused(toy: str, operator: User) -> None:
    batch = twenty()
    for wrong in ({"concurrency": 0}, {"max_failed_percent": 101}, {"priority": 3}):
        with pytest.raises(BatchError):
            adjust_batch(batch, actor=operator, source="test", **wrong)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_finished_batch_cannot_be_adjusted(toy: str, work: Work, operator: User) -> None:
    batch = work(play("ok-1"))
    with pytest.raises(BatchError, match="over"):
        adjust_batch(batch, actor=operator, source="test", concurrency=2)
    assert not resume_batch(batch, actor=operator, source="test")


def test_what_is_under_way_is_said_with_the_time_it_must_be_over(toy: str) -> None:
    batch = twenty()
    assert under_way(batch).count == 0
    Claims().take(8)
    now = under_way(batch)
    started = batch.chunks.filter(state=ChunkState.RUNNING).aggregate(last=Max("started"))["last"]
    assert now.count == 2
    assert now.quiet_at is not None
    assert (now.quiet_at - started).total_seconds() == 2, "the function's time-out"


def test_people_share_and_priority_counts_within_and_between_them(toy: str) -> None:
    ana, ben = make_user("operator"), make_user("operator")
    Function.objects.filter(name=FUNCTION).update(dispatch_limit=8)
    for _ in range(3):
        Batch.objects.filter(pk=twenty().pk).update(concurrency=50, created_by=ana, created_by_name="ana")
    Batch.objects.filter(pk=twenty().pk).update(concurrency=50, created_by=ben, created_by_name="ben")
    people = [claim.batch.created_by_name for claim in Claims().take(8)]
    assert (people.count("ana"), people.count("ben")) == (4, 4)


def test_places_follow_the_weights() -> None:
    function = ("f", "r")
    ids = [make.pk for make in (Batch(), Batch())]
    waiting = [
        Open(ids[0], function, "ana", Priority.HIGH, 100, 0, True),
        Open(ids[1], function, "ana", Priority.NORMAL, 100, 0, True),
    ]
    given = allocate(waiting, {function: 20}, 100)
    assert (given[ids[0]], given[ids[1]]) == (16, 4)


@pytest.mark.slow
def test_any_function_runs_once_for_each_payload(toy: str, work: Work) -> None:
    payloads = [{"n": n, "crash": n == 3} for n in range(5)]
    batch = work(start_runs(function_name=FUNCTION, payloads=payloads, actor=None, source="test"))
    assert (batch.succeeded, batch.failed) == (4, 1)
    answers = [chunk.response for chunk in batch.chunks.order_by("position")]
    assert answers[0] == {"echo": {"n": 0, "crash": False}}
    assert batch.items.get(state="failed").error_type == "ValueError"


@pytest.mark.slow
def test_payloads_travel_many_at_a_time_where_the_function_takes_them(toy: str, work: Work) -> None:
    payloads = [{"do": "ok", "id": "mine"}, {"do": "error"}, {"do": "ok"}]
    batch = work(
        start_runs(function_name=FUNCTION, payloads=payloads, chunked=True, repeatable=True, actor=None, source="test")
    )
    assert (batch.chunks.count(), batch.succeeded, batch.failed) == (1, 2, 1)
    assert batch.items.get(key="item-1").result == {"said": "item-1"}, "the item's id, not the payload's"
