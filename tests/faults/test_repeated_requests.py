"""The same request ten times at once is one batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.faults.functions import REPEATED, RETRIED
from tests.faults.reliability import Case
from tests.faults.runs import Counts, Faulty, Item, documents, ok, unique

pytestmark = pytest.mark.slow
Add = Callable[[str, str], Case]
TEN = "same request ten times at once"


def ten_times(faulty: Faulty, asked: Item) -> str:
    """The id of the one batch that ten requests at once have started."""
    key = unique("KEY")
    before = {batch["id"] for batch in faulty.client.pages("batches/")}

    def start(_number: int) -> tuple[int, Any]:
        status, answer = faulty.platform.send("POST", "batches/", asked, **{"Idempotency-Key": key})
        return status, answer.get("id", answer)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(start, range(10)))
    assert {status for status, _ in answers} <= {200, 201}, answers
    assert len({batch for _, batch in answers}) == 1, answers
    (only,) = {batch["id"] for batch in faulty.client.pages("batches/")} - before
    assert only == answers[0][1]
    assert start(0) == (200, only)
    return str(only)


def test_ten_requests_for_delivery_notes_print_each_once(faulty: Faulty, case: Add) -> None:
    row = case(TEN, "POST /batches/ with one Idempotency-Key: delivery notes")
    ids = faulty.platform.deliveries(unique("ONCE"), 10)
    row.at(Counts(10, 0, 0, 0))
    only = ten_times(faulty, {"capability": "render_pdf", "selection": {"keys": ids}})
    run = documents(faulty, ids, faulty.client.get(f"batches/{only}/"))
    end = run.ended()
    row.end(run, end)
    assert (end.succeeded, end.effects, end.twice) == (10, 10, 0)


def test_ten_requests_for_many_runs_send_each_once(faulty: Faulty, case: Add) -> None:
    row = case(TEN, "POST /batches/ with one Idempotency-Key: 200 payloads in chunks")
    name = unique("R")
    payloads = [{"run": name, "n": number, "do": "ok"} for number in range(200)]
    row.at(Counts(200, 0, 0, 0))
    asked = {"function": REPEATED, "payloads": payloads, "chunked": True, "chunk_size": 20, "repeatable": True}
    only = ten_times(faulty, asked)
    run = faulty.follow(name, faulty.client.get(f"batches/{only}/"))
    end = run.ended()
    row.end(run, end)
    assert (end.succeeded, end.effects, end.twice, run.calls) == (200, 200, 0, 10)


def test_ten_redrives_at_once_make_one_child(faulty: Faulty, case: Add) -> None:
    row = case(TEN, "retry of 6 failed items of 12, without a key: the other nine are refused")
    parent = faulty.start(RETRIED, [{"do": "error", "seconds": 0.4}] * 6 + ok(6), chunk_size=3)
    row.at(parent.ended())

    def retry(_number: int) -> int:
        return faulty.platform.send("POST", f"batches/{parent.id}/retry/", {"reason": "ten at once"})[0]

    with ThreadPoolExecutor(10) as pool:
        answers = Counter(pool.map(retry, range(10)))
    assert answers[201] == 1 and set(answers) <= {201, 400, 409}, answers
    (child,) = [batch for batch in faulty.client.pages("batches/") if batch["parent"] == parent.id]
    again = parent.child(child)
    end = again.ended()
    row.end(again, end)
    assert (end.total, end.succeeded, end.failed, end.twice) == (6, 0, 6, 0)
