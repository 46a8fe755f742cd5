"""AWS cannot be reached for a while, or its answer gets lost on the way; the batches are repeatable."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.functions import CUT
from tests.faults.reliability import Case
from tests.faults.runs import Faulty, ok
from tests.faults.unknown import Outage

pytestmark = pytest.mark.slow
Add = Callable[[str, str], Case]
DOWN = "endpoint down for 30 s"


def test_chunks_under_way_when_the_endpoint_goes_down_are_sent_again(outage: Outage, faulty: Faulty, case: Add) -> None:
    row = case(DOWN, "connections cut and refused while chunks were under way; the batch is repeatable")
    run = outage.chunks
    row.at(outage.before_chunks)
    end = run.ended()
    row.end(run, end)
    assert (end.succeeded, end.effects) == (80, 80)
    assert end.twice > 0, "the outage met no invocation under way, so this run proves nothing"
    assert max(chunk["attempt"] for chunk in run.chunks()) <= 3


def test_a_batch_started_while_the_endpoint_is_down_waits_without_an_attempt(
    outage: Outage, faulty: Faulty, case: Add
) -> None:
    row = case(DOWN, "batch started during the outage")
    run = outage.started
    row.at(outage.before_started)
    end = run.ended()
    row.end(run, end)
    assert (end.succeeded, end.effects, end.twice, run.calls) == (40, 40, 0, 10)
    assert run.took > 25, "the outage was not met"
    assert {chunk["attempt"] for chunk in run.chunks()} == {1}, "a refused connection is no attempt"
    assert run.waits > 0


def test_an_answer_that_is_cut_in_the_middle_is_asked_for_again(faulty: Faulty, case: Add) -> None:
    row = case(
        "response cut in the middle", "five answers cut; the batch is repeatable, so these chunks are sent again"
    )
    faulty.fault("cut", 60, function=CUT, times=5)
    run = faulty.start(CUT, ok(80, 0.05), chunk_size=4)
    row.at(run.counts())
    end = run.ended()
    row.end(run, end)
    assert (end.succeeded, end.failed, end.effects) == (80, 0, 80)
    assert (run.calls, end.twice, run.invocations) == (20 + 5, 5 * 4, 20 + 5)
