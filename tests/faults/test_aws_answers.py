"""AWS cannot be reached, or its answer gets lost on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.conftest import FUNCTION
from tests.faults.reliability import Case
from tests.faults.runs import Faulty, ok
from tests.running_platform import until

pytestmark = pytest.mark.slow
Add = Callable[[str, str], Case]


def test_an_endpoint_that_is_down_for_30_seconds_loses_and_repeats_nothing(faulty: Faulty, case: Add) -> None:
    down = "endpoint down for 30 s"
    chunks, plain, later = (
        case(down, "connections cut and refused while chunks were under way; the batch is repeatable"),
        case(down, "the same with plain runs under way, which must never be sent twice"),
        case(down, "batch started during the outage"),
    )
    under_way = faulty.start(FUNCTION, ok(80, 0.25), chunk_size=5)
    runs = faulty.start(FUNCTION, ok(12, 1.2))
    under_way.reached(5)
    assert until(lambda: faulty.door("state")["running"] >= 4, 10), "nothing was under way"
    chunks.at(under_way.counts())
    plain.at(runs.counts())
    faulty.fault("refuse", 30)
    started = faulty.start(FUNCTION, ok(40), chunk_size=4)
    later.at(started.counts())

    end = started.ended(120)
    later.end(started, end)
    assert (end.succeeded, end.effects, end.twice, started.calls) == (40, 40, 0, 10)
    assert started.seconds > 25, "the outage was not met"
    assert {chunk["attempt"] for chunk in started.chunks()} == {1}, "a refused connection is no attempt"

    end = under_way.ended()
    chunks.end(under_way, end)
    assert (end.succeeded, end.effects) == (80, 80)
    assert end.twice > 0, "the outage met no invocation under way, so this run proves nothing"
    assert max(chunk["attempt"] for chunk in under_way.chunks()) <= 3

    end = runs.ended()
    plain.end(runs, end)
    assert (end.succeeded, end.failed, end.effects, end.twice, runs.calls) == (12, 0, 12, 0, 12)


def test_an_answer_that_is_cut_in_the_middle_is_fetched_again_or_looked_up(faulty: Faulty, case: Add) -> None:
    cut = "response cut in the middle"
    sent_again = case(cut, "five answers cut; the batch is repeatable, so these chunks are sent again")
    looked_up = case(cut, "three answers cut of plain runs; what came of them is read from the function's log")
    for row, times, count, chunk_size in ((sent_again, 5, 80, 4), (looked_up, 3, 10, 0)):
        faulty.fault("cut", 60, function=FUNCTION, times=times)
        run = faulty.start(FUNCTION, ok(count, 0.05), chunk_size=chunk_size)
        row.at(run.counts())
        end = run.ended()
        row.end(run, end)
        assert (end.succeeded, end.failed, end.effects) == (count, 0, count)
        calls, twice = (20 + 5, 5 * 4) if chunk_size else (10, 0)
        assert (run.calls, end.twice, run.invocations) == (calls, twice, calls)


def test_a_request_that_is_lost_is_not_sent_twice_but_reported_as_not_started(faulty: Faulty, case: Add) -> None:
    row = case("request lost on the way", "two plain runs dropped by the endpoint; nobody can know whether they ran")
    faulty.fault("down", 60, function=FUNCTION, times=2)
    run = faulty.start(FUNCTION, ok(10))
    row.at(run.counts())
    end = run.ended(120)
    row.end(run, end)
    assert (end.succeeded, end.failed, end.effects, end.twice, run.calls) == (8, 2, 8, 0, 8)
    assert run.failures() == {"NotStarted": 2}
