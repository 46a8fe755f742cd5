"""Clocks that jump by an hour while chunks are claimed and put off.

No clock of this machine can be set by a test, so the rows are: after a jump forward every time that was written before
lies an hour further back than it should, after a jump back an hour further ahead.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.functions import JUMPS
from tests.faults.reliability import Case
from tests.faults.runs import Faulty, ok

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bad_day")]  # which takes its half minute beside these
Add = Callable[[str, str], Case]
SHIFT = """
UPDATE services_registry_chunk
   SET lease_until = lease_until + %s::interval, not_before = not_before + %s::interval, started = started + %s::interval,
       waiting_since = waiting_since + %s::interval
 WHERE state IN ('queued', 'running', 'checking') AND batch_id = ANY(%s)
"""


@pytest.mark.parametrize(("jump", "shift"), [("forward", "-1 hour"), ("back", "1 hour")])
def test_a_clock_that_jumps_loses_and_repeats_nothing(faulty: Faulty, case: Add, jump: str, shift: str) -> None:
    rows = [
        case(f"clock jumps an hour {jump}", f"{what}; all times of open chunks moved")
        for what in ("chunks under way", "plain runs under way", "chunks put off by throttles")
    ]
    chunks, plain, waits = JUMPS[jump]
    faulty.fault("throttle", 8, function=waits)  # longer than it takes to come here, so that they are put off again
    runs = (
        faulty.start(chunks, ok(100, 0.1), chunk_size=5),
        faulty.start(plain, ok(24, 0.5)),
        faulty.start(waits, ok(40), chunk_size=4),
    )
    runs[0].reached(5)
    runs[1].reached(1)
    for row, run in zip(rows, runs, strict=True):
        row.at(run.counts())
    faulty.sql(SHIFT, *[shift] * 4, [run.id for run in runs])
    for row, run, total in zip(rows, runs, (100, 24, 40), strict=True):
        end = run.ended(60)
        row.end(run, end)
        assert (end.succeeded, end.failed, end.effects) == (total, 0, total)
        assert run is runs[0] or end.twice == 0, "sent twice although it was under way, or not repeatable"
