"""The broker or the database goes away in the middle of the work and comes back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.faults.functions import BROKER, BROKER_STARTED, DATABASE
from tests.faults.reliability import Case
from tests.faults.runs import Faulty, Run, ok
from tests.running_platform import until

pytestmark = pytest.mark.slow
Add = Callable[[str, str], Case]


def under_way(faulty: Faulty, functions: tuple[str, str]) -> tuple[Run, Run]:
    """A batch in chunks and a batch of plain runs, both in the middle of their work."""
    chunks = faulty.start(functions[0], ok(300, 0.05), chunk_size=5)
    plain = faulty.start(functions[1], ok(40, 0.4))
    chunks.reached(20)
    plain.reached(1)
    return chunks, plain


def finish(rows: tuple[Case, Case], runs: tuple[Run, Run]) -> None:
    for row, run, total in zip(rows, runs, (300, 40), strict=True):
        end = run.ended()
        row.end(run, end)
        assert (end.succeeded, end.failed, end.effects) == (total, 0, total)
    assert end.twice == 0, "a plain run was sent twice"


def test_a_broker_that_restarts_is_not_even_noticed(faulty: Faulty, case: Add) -> None:
    rows = (
        case("broker restart", "Valkey killed -9 three times while chunks were under way"),
        case("broker restart", "the same with plain runs under way"),
    )
    started = case("broker restart", "batch started while the broker hung (SIGSTOP)")
    runs = under_way(faulty, BROKER)
    for row, run in zip(rows, runs, strict=True):
        row.at(run.counts())
    for _ in range(3):
        broker = faulty.platform.child("valkey-server")
        os.kill(broker, signal.SIGKILL)
        assert until(lambda: faulty.platform.child("valkey-server") not in {0, broker}, 20)  # noqa: B023  # asked now
    finish(rows, runs)
    assert runs[0].took < 60

    broker = faulty.platform.child("valkey-server")
    os.kill(broker, signal.SIGSTOP)
    try:
        meanwhile = faulty.start(BROKER_STARTED, ok(50), chunk_size=5)
        started.at(meanwhile.counts())
    finally:
        os.kill(broker, signal.SIGCONT)
    end = meanwhile.ended()
    started.end(meanwhile, end)
    assert (end.succeeded, end.effects, end.twice, meanwhile.calls) == (50, 50, 0, 10)


def test_a_database_that_restarts_costs_some_seconds_and_nothing_else(faulty: Faulty, case: Add) -> None:
    rows = (
        case(
            "database restart", "PostgreSQL ended at once (SIGQUIT) while chunks were under way; it recovers by itself"
        ),
        case("database restart", "the same with plain runs under way"),
    )
    runs = under_way(faulty, DATABASE)
    for row, run in zip(rows, runs, strict=True):
        row.at(run.counts())
    database = faulty.platform.child("postgres")
    os.kill(database, signal.SIGQUIT)
    assert until(lambda: faulty.platform.child("postgres") not in {0, database}, 30)
    finish(rows, runs)
