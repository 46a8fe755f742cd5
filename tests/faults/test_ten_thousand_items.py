"""The worker is killed twice (-9) while ten thousand items and delivery notes are under way.

Three per cent of the ten thousand fail by themselves, and half of all their calls are throttled all the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.faults.functions import MANY
from tests.faults.reliability import Case
from tests.faults.runs import Counts, Faulty, Run, documents, ok, unique
from tests.faults.unknown import kill_worker
from tests.running_platform import until

pytestmark = pytest.mark.slow
Add = Callable[[str, str], Case]
ITEMS, FAILING, DELIVERIES = 10_000, 300, 120
FAULT = "worker kill -9"
PATIENCE_S = 300  # a busy machine may take minutes; what counts is that nothing is lost or done twice


@dataclass
class Killed:
    """The batches under way, and what they had done at the first kill."""

    runs: dict[str, Run]
    before: dict[str, Counts]
    deliveries: list[str]


@pytest.fixture(scope="module")
def killed(shared_faulty: Faulty) -> Killed:
    faulty = shared_faulty
    deliveries = faulty.platform.deliveries(unique("KILLED"), DELIVERIES)
    faulty.fault("throttle", 600, share=0.5, function=MANY, retry_after=0)
    bad = {"do": "error"}
    items = [bad if number % 100 in (3, 47, 91) else item for number, item in enumerate(ok(ITEMS, 0.003))]
    asked = {"capability": "render_pdf", "selection": {"keys": deliveries}, "chunk_size": 4}
    runs = {
        "items": faulty.start(MANY, items, chunk_size=200, concurrency=8),
        "documents": documents(faulty, deliveries, faulty.client.post("batches/", asked)),
    }
    runs["items"].reached(500, within=PATIENCE_S)
    before: dict[str, Counts] = {}
    for reached in (500, 3_000):
        runs["items"].reached(reached, within=PATIENCE_S)
        before = before or {name: run.counts() for name, run in runs.items()}
        assert until(lambda: faulty.running(MANY), 30, 0.01), "nothing was under way"
        kill_worker(faulty)
    return Killed(runs, before, deliveries)


@pytest.fixture
def ended(killed: Killed) -> Callable[[str, Case], tuple[Run, Counts]]:
    def of(name: str, row: Case) -> tuple[Run, Counts]:
        run = killed.runs[name]
        row.at(killed.before[name])
        end = run.ended(PATIENCE_S)
        row.end(run, end)
        return run, end

    return of


Ended = Callable[[str, Case], tuple[Run, Counts]]


def test_ten_thousand_items_end_with_9700_done_once_and_300_to_redrive(
    ended: Ended, shared_faulty: Faulty, case: Add
) -> None:
    row = case(FAULT, "10,000 items, 3 % fail, half of all calls throttled, killed twice")
    run, end = ended("items", row)
    struck = shared_faulty.struck(MANY)
    shared_faulty.fault("none")
    assert (end.total, end.succeeded, end.failed, end.effects) == (ITEMS, ITEMS - FAILING, FAILING, ITEMS - FAILING)
    assert run.failures() == {"NotFound": FAILING}
    assert struck >= 0.35 * (struck + run.calls), "not throttled half of the time, so this run proves nothing"
    assert max(chunk["attempt"] for chunk in run.chunks()) >= 2, "the kills met no chunk under way"
    preview = shared_faulty.client.get(f"batches/{run.id}/retry-preview/")
    assert preview["items"] == FAILING


def test_a_killed_worker_leaves_exactly_one_document_for_every_delivery(
    ended: Ended, killed: Killed, shared_faulty: Faulty, case: Add
) -> None:
    run, end = ended(
        "documents", case(FAULT, "delivery notes by render_pdf, killed twice; effects are stored documents")
    )
    assert (end.succeeded, end.failed, end.effects, end.twice) == (DELIVERIES, 0, DELIVERIES, 0)
    assert shared_faulty.platform.notes_of(killed.deliveries) == sorted(killed.deliveries)
    again = shared_faulty.client.run("render_pdf", {"keys": killed.deliveries})
    assert again["id"] != run.id and (again["succeeded"], again["failed"]) == (DELIVERIES, 0)
    assert shared_faulty.platform.notes_of(killed.deliveries) == sorted(killed.deliveries)
