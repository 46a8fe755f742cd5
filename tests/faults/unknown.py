"""Batches whose answers get lost: what became of them takes two minutes to know, so they run beside the other tests."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from tests.faults.functions import CUT_PLAIN, KILLED, LOST, OUTAGE, OUTAGE_PLAIN, OUTAGE_STARTED
from tests.faults.runs import Counts, Faulty, Run, ok
from tests.running_platform import until


@dataclass
class Lost:
    """Plain runs: the worker killed meanwhile, some answers cut after the function ran, some requests lost before."""

    killed: Run
    before_kill: Counts
    cut: Run
    lost: Run


@dataclass
class Outage:
    """The endpoint was down for 30 s while `chunks` and `plain` were under way; `started` came in the middle."""

    chunks: Run
    before_chunks: Counts
    plain: Run
    before_plain: Counts
    started: Run
    before_started: Counts


def kill_worker(faulty: Faulty) -> None:
    """Returns when the next one has been started."""
    worker = until(faulty.platform.worker, 30)
    os.killpg(worker, signal.SIGKILL)  # the supervisor starts each child in a group of its own
    assert until(lambda: faulty.platform.worker() not in {0, worker}, 30)


def lose_answers(faulty: Faulty) -> Lost:
    killed = faulty.start(KILLED, ok(24, 1.0))
    killed.reached(1)
    before = killed.counts()
    kill_worker(faulty)
    faulty.fault("cut", 60, function=CUT_PLAIN, times=3)
    faulty.fault("down", 60, function=LOST, times=2)
    cut, lost = faulty.start(CUT_PLAIN, ok(10, 0.2)), faulty.start(LOST, ok(10))
    cut.reached(7)
    lost.reached(8)
    return Lost(killed, before, cut, lost)


def endpoint_down(faulty: Faulty) -> Outage:
    """Returns when it answers again."""
    chunks = faulty.start(OUTAGE, ok(80, 0.25), chunk_size=5)
    plain = faulty.start(OUTAGE_PLAIN, ok(12, 1.2))
    chunks.reached(5)
    assert until(lambda: faulty.running(OUTAGE) and faulty.running(OUTAGE_PLAIN), 10, 0.01), "nothing was under way"
    before = chunks.counts(), plain.counts()
    faulty.fault("refuse", 30)
    started = faulty.start(OUTAGE_STARTED, ok(40), chunk_size=4)
    outage = Outage(chunks, before[0], plain, before[1], started, started.counts())
    assert until(faulty.healthy, 60, 0.5)
    return outage
