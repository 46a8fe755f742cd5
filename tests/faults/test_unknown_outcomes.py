"""Plain runs, which must never be sent twice, whose answers got lost: the function's log tells what came of them.

They were begun before the other tests, because the last line of a log may take its time.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.reliability import Case
from tests.faults.runs import Counts, Faulty
from tests.faults.unknown import Lost, Outage

pytestmark = pytest.mark.slow
Add = Callable[[str, str], Case]


def test_runs_under_way_when_the_worker_is_killed_are_looked_up(lost: Lost, faulty: Faulty, case: Add) -> None:
    row = case("worker kill -9", "plain runs of a second each under way, which must not be sent twice")
    row.at(lost.before_kill)
    end = lost.killed.ended(150)
    row.end(lost.killed, end)
    assert (end.succeeded + end.failed, end.twice, lost.killed.calls) == (24, 0, end.effects)
    # Some may have been claimed and not yet sent. They are named as what they are, and a person may try them again.
    assert set(lost.killed.failures()) <= {"NotStarted", "OutcomeUnknown"}
    assert end.succeeded <= end.effects <= 24 and end.failed <= 8


def test_runs_whose_answer_was_cut_are_looked_up(lost: Lost, faulty: Faulty, case: Add) -> None:
    row = case("response cut in the middle", "three answers cut of ten plain runs, which must not be sent twice")
    row.at(Counts(10, 0, 0, 0))
    end = lost.cut.ended(150)
    row.end(lost.cut, end)
    assert (end.succeeded, end.failed, end.effects, end.twice, lost.cut.calls) == (10, 0, 10, 0, 10)


def test_runs_that_never_began_are_reported_as_not_started(lost: Lost, faulty: Faulty, case: Add) -> None:
    row = case(
        "request lost on the way", "two of ten plain runs dropped by the endpoint: nobody can know that they never ran"
    )
    row.at(Counts(10, 0, 0, 0))
    end = lost.lost.ended(150)
    row.end(lost.lost, end)
    assert (end.succeeded, end.failed, end.effects, end.twice, lost.lost.calls) == (8, 2, 8, 0, 8)
    assert lost.lost.failures() == {"NotStarted": 2}


def test_runs_under_way_when_the_endpoint_goes_down_are_looked_up(outage: Outage, faulty: Faulty, case: Add) -> None:
    row = case("endpoint down for 30 s", "plain runs under way, which must not be sent twice")
    row.at(outage.before_plain)
    end = outage.plain.ended(150)
    row.end(outage.plain, end)
    assert (end.succeeded, end.failed, end.effects, end.twice, outage.plain.calls) == (12, 0, 12, 0, 12)
