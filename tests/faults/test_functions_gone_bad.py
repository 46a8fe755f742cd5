"""Functions that hang, die, answer nonsense or are throttled: the good items of a chunk keep their results.

All batches run at the same time, as they would on a bad day.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.bad_day import RETRY_AFTER_S, THROTTLE_S
from tests.faults.reliability import Case
from tests.faults.runs import Counts, Faulty, Run

pytestmark = pytest.mark.slow
Add = Callable[[str, str], Case]


@pytest.fixture
def outcome(bad_day: dict[str, Run], faulty: Faulty) -> Callable[[str, Case], tuple[Run, Counts]]:
    """`run, end = outcome("hang", row)`, with the row filled in."""

    def of(name: str, row: Case) -> tuple[Run, Counts]:
        run = bad_day[name]
        end = run.ended(120)
        row.at(Counts(end.total, 0, 0, 0))
        row.end(run, end)
        return run, end

    return of


Outcome = Callable[[str, Case], tuple[Run, Counts]]


def test_a_function_that_hangs_past_its_timeout_fails_alone(outcome: Outcome, case: Add) -> None:
    run, end = outcome("hang", case("function hangs past its time-out", "2 of 24 items hang, 8 in a chunk"))
    assert (end.succeeded, end.failed, end.effects) == (22, 2, 22)
    assert {item["outcome"] for item in run.items(state="failed")} == {"timed_out"}
    assert {item["key"] for item in run.items(state="failed")} == {"item-4", "item-13"}


def test_a_function_that_dies_takes_only_its_item_along(outcome: Outcome, case: Add) -> None:
    run, end = outcome("die", case("function dies (os._exit)", "2 of 24 items end the process, 8 in a chunk"))
    assert (end.succeeded, end.failed, end.effects) == (22, 2, 22)
    assert run.failures() == {"Runtime.ExitError": 2}


def test_an_answer_of_10_megabytes_costs_only_its_own_item(outcome: Outcome, case: Add) -> None:
    run, end = outcome("big", case("function returns 10 MB", "2 of 24 items answer with 10 MB, 8 in a chunk"))
    assert (end.succeeded, end.failed) == (22, 2)
    assert run.failures() == {"Function.ResponseSizeTooLarge": 2}


def test_rubbish_instead_of_json_costs_only_its_own_item(outcome: Outcome, case: Add) -> None:
    row = case("function returns rubbish JSON", "5 of 20 items: broken JSON, text, null, Infinity, a wrong envelope")
    run, end = outcome("rubbish", row)
    assert (end.succeeded, end.failed) == (15, 5)
    assert {item["key"] for item in run.items(state="failed")} == {f"item-{number * 4 + 2}" for number in range(5)}


def test_items_that_poison_their_chunk_are_found_and_the_rest_is_done(outcome: Outcome, case: Add) -> None:
    row = case("items that poison their chunk", "5 of 1,000 items raise and spoil chunks of 100")
    run, end = outcome("poison", row)
    assert (end.succeeded, end.failed, end.effects) == (995, 5, 995)
    assert run.failures() == {"ValueError": 5}
    assert {item["key"] for item in run.items(state="failed")} == {f"item-{n + 1}" for n in (7, 8, 250, 777, 999)}
    assert run.calls <= 10 + 5 * 2 * 7, "halving finds an item of a hundred in seven steps"


def test_a_batch_of_nothing_but_poison_ends_soon(outcome: Outcome, case: Add) -> None:
    run, end = outcome("all poison", case("items that poison their chunk", "all of 200 items raise, 50 in a chunk"))
    assert (end.succeeded, end.failed, end.effects) == (0, 200, 0)
    # Sixteen chunks are divided, and those that were under way at that moment.
    assert run.calls <= 4 + 2 * (16 + 8), "looking for good items has an end"


def test_a_throttle_of_30_seconds_is_waited_out_as_long_as_aws_says(
    faulty: Faulty, outcome: Outcome, case: Add
) -> None:
    said = f"every call refused for {THROTTLE_S} s, Retry-After {RETRY_AFTER_S} s"
    run, end = outcome("throttled", case("endpoint answers 429 for 30 s", f"{said}; 20 chunks"))
    assert (end.succeeded, end.effects, end.twice, run.calls) == (200, 200, 0, 20)
    assert run.took > THROTTLE_S - 5
    assert {chunk["attempt"] for chunk in run.chunks()} == {1}, "a refusal is no attempt"
    assert 0 < run.waits <= 20 * (THROTTLE_S / RETRY_AFTER_S + 1), "asked again before the time AWS has named"

    run, end = outcome("throttled runs", case("endpoint answers 429 for 30 s", f"{said}; 5 plain runs"))
    assert (end.succeeded, end.effects, end.twice, run.calls) == (5, 5, 0, 5)
    assert {chunk["attempt"] for chunk in run.chunks()} == {1}
