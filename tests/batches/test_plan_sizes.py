"""The planner chooses the chunk size from time and bytes; a person may only lower it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services_registry.choices import ChunkState, Outcome
from services_registry.models import Function
from tests.batches.plans import BINDING_SIZE, codes, crates, crates_bound, planned, ran


@pytest.fixture(autouse=True)
def function(db: None) -> Iterator[Function]:
    with crates_bound() as row:
        yield row


def test_without_experience_the_binding_decides_and_nothing_is_predicted() -> None:
    plan = planned(crates(120))
    assert (plan.chunk_size, plan.chunks, plan.size.why) == (BINDING_SIZE, 3, "binding")
    facts = plan.snapshot()
    assert [facts[name] for name in ("seconds", "chunk_seconds", "item_p50_ms", "usd", "eur")] == [None] * 5
    assert facts["basis"]["text"].startswith("not known yet")


def test_slow_items_make_smaller_chunks() -> None:
    ran((10_000, 10), (10_000, 10))
    plan = planned(crates(120))
    assert (plan.chunk_size, plan.chunks, plan.size.why) == (36, 4, "time")  # 60 % of 60 s at 1 s each
    assert plan.chunk_seconds_p95 == 36


def test_room_is_left_for_a_cold_start() -> None:
    ran((10_000, 10), init_ms=6_000)
    assert planned(crates(120)).chunk_size == 30


def test_p95_sizes_the_chunks_and_p50_describes_the_usual_one() -> None:
    ran(*[(1_000, 10)] * 9, (20_000, 10))
    plan = planned(crates(120))
    assert (plan.history.p50_ms, plan.history.p95_ms) == (100, 2_000)
    assert (plan.chunk_size, plan.chunk_seconds, plan.chunk_seconds_p95) == (18, 1.8, 36)


def test_a_chunk_that_timed_out_counts_as_at_least_so_long() -> None:
    ran((60_000, 10), state=ChunkState.FAILED, outcome=Outcome.TIMED_OUT, items_succeeded=0, items_failed=0)
    assert planned(crates(120)).chunk_size == 6


def test_crashes_teach_nothing() -> None:
    ran((5, 10), state=ChunkState.FAILED, outcome=Outcome.FUNCTION_ERROR)
    assert not planned(crates(3)).history.known


def test_an_item_longer_than_the_room_goes_alone_with_a_warning() -> None:
    ran((55_000, 1))
    plan = planned(crates(5))
    assert (plan.chunk_size, plan.chunks) == (1, 5)
    assert "near_timeout" in codes(plan)


def test_heavy_items_make_chunks_that_still_fit_into_the_call() -> None:
    plan = planned(crates(120, kilobytes=200))
    assert (plan.chunk_size, plan.size.why, plan.size.handoff) == (24, "bytes", "inline")
    assert plan.largest_chunk_bytes <= 5_000_000


def test_very_heavy_items_go_through_storage_rather_than_one_by_one() -> None:
    plan = planned(crates(120, kilobytes=2_000))
    assert (plan.chunk_size, plan.size.why, plan.size.handoff) == (BINDING_SIZE, "binding", "object_storage")
    assert "2 items would fit" in plan.size.handoff_reason
    assert "object_storage" in codes(plan)


def test_a_few_items_that_fit_are_not_judged_by_the_ceiling() -> None:
    plan = planned(crates(2, kilobytes=2_000))
    assert (plan.chunk_size, plan.chunks, plan.size.handoff) == (BINDING_SIZE, 1, "inline")


def test_uneven_items_get_a_margin() -> None:
    even, uneven = planned(crates(100, kilobytes=200)), planned(crates(50, kilobytes=350) + crates(50, kilobytes=50))
    assert uneven.chunk_bytes < 200_100 * uneven.chunk_size < uneven.largest_chunk_bytes
    assert uneven.chunk_size < even.chunk_size


@pytest.mark.parametrize(
    ("asked", "size", "why"), [(7, 7, "asked"), (36, 36, "time"), (49, 36, "time"), (0, 1, "asked")]
)
def test_the_person_may_lower_it_and_never_raise_it(asked: int, size: int, why: str) -> None:
    ran((10_000, 10))
    plan = planned(crates(120), chunk_size=asked)
    assert (plan.chunk_size, plan.size.why) == (size, why)


def test_chunks_never_mix_groups() -> None:
    plan = planned(crates(51, group="dhl") + crates(3, group="ups"))
    assert (plan.items, plan.chunks, plan.largest) == (54, 3, 50)


def test_items_that_are_gone_are_announced() -> None:
    assert "items_fail" in codes(planned([*crates(3), "gone-1"]))
