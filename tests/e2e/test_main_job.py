"""What a tool meets at the REST API of the running platform: refusals, cancelling, a time-out."""

from __future__ import annotations

from typing import Any

import pytest

from embedded.demo.job import shipments_csv
from tests.running_platform import Platform, until

pytestmark = pytest.mark.slow


def test_bad_rows_are_refused_by_line_and_good_ones_kept(platform: Platform) -> None:
    lines = shipments_csv(6).replace("DEMO", "ROWS").splitlines()
    lines[2] = lines[2].replace("ROWS000001", "")
    lines[5] = lines[5].replace("2026-10-01T", "yesterday ")
    status, answer = platform.send(
        "POST", "shipments/import/", "\n".join(lines).encode(), **{"Content-Type": "text/csv"}
    )
    assert status == 200
    assert (answer["rows"], answer["created"], answer["refused"]) == (6, 4, 2)
    assert [error["line"] for error in answer["errors"]] == [3, 6]
    assert all(error["reason"] for error in answer["errors"])
    kept = {row["tracking_number"] for row in platform.client.pages("shipments/", q="ROWS")}
    assert kept == {"ROWS000000", "ROWS000002", "ROWS000003", "ROWS000005"}


def test_a_viewer_may_look_but_not_start_a_batch(platform: Platform) -> None:
    key = platform.key_of("viewer")
    assert platform.send("GET", "batches/", key=key)[0] == 200
    before = len(list(platform.client.pages("batches/")))
    asked = {"function": "platform-wait-probe", "payload": {"seconds": 0}}
    status, answer = platform.send("POST", "batches/", asked, key=key)
    assert status == 403
    assert set(answer) == {"error"}
    assert set(answer["error"]) == {"code", "message", "fields", "request_id"}
    assert answer["error"]["message"] and answer["error"]["request_id"]
    assert len(list(platform.client.pages("batches/"))) == before


def test_cancelling_leaves_the_rest_undone(platform: Platform) -> None:
    ids = platform.deliveries("CANCEL", 80)
    batch = platform.client.post("batches/", {"capability": "render_pdf", "selection": {"keys": ids}, "chunk_size": 1})
    platform.client.post(f"batches/{batch['id']}/cancel/", {"reason": "changed our mind"})
    end = platform.client.wait(platform.client.get(f"batches/{batch['id']}/"))
    assert end["state"] == "cancelled"
    assert end["cancelled"] > 0 and end["failed"] == 0
    assert end["succeeded"] + end["cancelled"] == end["total"] == 80
    done = [item["key"] for item in platform.client.pages(f"batches/{batch['id']}/items/", state="succeeded")]
    assert platform.notes_of(ids) == sorted(done)


def test_a_run_beyond_its_time_counts_as_a_time_out(platform: Platform) -> None:
    asked = {"function": "platform-wait-probe", "payload": {"seconds": 60}}
    end = platform.client.wait(platform.client.post("batches/", asked))
    assert (end["succeeded"], end["failed"]) == (0, 1)
    (chunk,) = platform.client.pages(f"batches/{end['id']}/chunks/")
    assert chunk["outcome"] == "timed_out"
    (function,) = platform.client.pages("functions/", q="platform-wait-probe")

    def seen() -> list[Any]:
        return list(platform.client.pages("invocations/", function=function["id"], status="timeout"))

    (report,) = until(seen, 10)  # log tails are stored a moment later, many at a time
    assert report["request_id"] == chunk["request_id"]
    assert report["duration_ms"] >= function["timeout_s"] * 1000
    points = platform.client.get(f"functions/{function['id']}/series/", range="24h")["points"]
    assert [(point["timeouts"], point["errors"], point["invocations"]) for point in points] == [(1, 1, 1)]
