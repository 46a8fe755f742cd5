"""A worker that is killed in the middle of a batch loses nothing and does nothing twice."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.e2e.running_platform import Platform, until

pytestmark = pytest.mark.slow
DELIVERIES = 200


def test_a_killed_worker_leaves_exactly_one_document_for_every_delivery(platform: Platform) -> None:
    ids = platform.deliveries("KILLED", DELIVERIES)
    asked = {"capability": "render_pdf", "selection": {"keys": ids}, "chunk_size": 5}
    batch = platform.client.post("batches/", asked)

    def some_done() -> dict[str, Any] | None:
        now = platform.client.get(f"batches/{batch['id']}/")
        return now if now["succeeded"] >= 15 else None

    worker = platform.worker()
    assert until(some_done, 60), "nothing was done within a minute"
    os.killpg(worker, signal.SIGKILL)  # the supervisor starts each child in a session, hence a group, of its own
    at_kill = platform.client.get(f"batches/{batch['id']}/")
    assert at_kill["state"] == "running" and 15 <= at_kill["succeeded"] < DELIVERIES, at_kill

    end = platform.client.wait(at_kill)
    assert (end["state"], end["total"], end["succeeded"], end["failed"]) == ("done", DELIVERIES, DELIVERIES, 0)
    assert platform.notes_of(ids) == sorted(ids)
    attempts = [chunk["attempt"] for chunk in platform.client.pages(f"batches/{batch['id']}/chunks/")]
    assert max(attempts) >= 2, "the kill met no running chunk, so this run proves nothing"
    assert platform.worker() not in {0, worker}

    again = platform.client.wait(platform.client.post("batches/", asked))
    assert again["id"] != batch["id"]
    assert (again["succeeded"], again["failed"]) == (DELIVERIES, 0)
    assert platform.notes_of(ids) == sorted(ids)
