"""The batch envelope: exactly one answer an item, errors kept apart, time and room respected."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shipments.functions.runtime.answer import Binary
from shipments.functions.runtime.batch import batch_handler
from shipments.functions.runtime.errors import EnvelopeError, ItemError
from tests.functions.support import Clock, content, envelope


def echo(item: dict[str, Any], context: dict[str, Any], shared: Any) -> dict[str, Any]:
    match item.get("do"):
        case "missing":
            raise ItemError("NotFound", "no such file")
        case "bug":
            raise KeyError("weight")
        case "drop":
            raise ConnectionResetError("peer went away")
        case "set":
            return {"not_json": {1, 2}}
        case "file":
            return {"files": [{"file": Binary(item["text"].encode())}]}
        case "sleep":
            time.sleep(item["seconds"])
    return {"id": item["id"], "greeting": context.get("greeting")}


handler = batch_handler(echo)


def test_every_item_gets_its_own_outcome() -> None:
    items = [{"id": name, "do": name} for name in ("fine", "missing", "bug", "drop", "set")]
    answer = handler(envelope(items, {"greeting": "hello"}), Clock())
    by_id = {entry["id"]: entry for entry in answer["results"]}
    assert list(by_id) == ["fine", "missing", "bug", "drop", "set"]
    assert all(0 <= entry.pop("ms") < 1_000 for entry in answer["results"])
    assert by_id["fine"] == {"id": "fine", "ok": True, "value": {"id": "fine", "greeting": "hello"}}
    assert by_id["missing"]["error"] == {"type": "NotFound", "message": "no such file", "retryable": False}
    assert (by_id["bug"]["error"]["type"], by_id["bug"]["error"]["retryable"]) == ("KeyError", False)
    assert by_id["drop"]["error"]["retryable"] is True
    assert by_id["set"]["error"]["type"] == "TypeError"
    assert answer["version"] == 1 and answer["unfinished"] == []
    assert answer["stats"]["succeeded"] == 1 and answer["stats"]["failed"] == 4


def test_an_empty_chunk_is_answered() -> None:
    assert handler(envelope([]), Clock())["results"] == []


@pytest.mark.slow
def test_hands_back_what_the_time_does_not_suffice_for() -> None:
    items = [{"id": str(n), "do": "sleep", "seconds": 0.2} for n in range(9)]
    answer = batch_handler(echo, floor_s=0.01)(envelope(items), Clock(1.0))
    done = [entry["id"] for entry in answer["results"]]
    assert 2 <= len(done) <= 4
    assert done + answer["unfinished"] == [item["id"] for item in items]


def test_a_floor_above_the_whole_time_still_gets_on() -> None:
    answer = batch_handler(echo, floor_s=20)(envelope([{"id": "a"}, {"id": "b"}]), Clock(5))
    assert len(answer["results"]) == 2


def test_items_share_what_prepare_yields() -> None:
    log: list[str] = []

    @contextmanager
    def prepare(context: dict[str, Any]) -> Iterator[list[str]]:
        log.append("open")
        yield log
        log.append("close")

    def work(item: dict[str, Any], context: dict[str, Any], shared: list[str]) -> dict[str, Any]:
        shared.append(item["id"])
        return {}

    batch_handler(work, prepare=prepare)(envelope([{"id": "a"}, {"id": "b"}]), Clock())
    assert log == ["open", "a", "b", "close"]


def test_what_prepare_raises_is_every_items_error() -> None:
    def prepare(context: dict[str, Any]) -> Any:
        raise ItemError("AuthenticationFailed", "wrong password")

    answer = batch_handler(echo, prepare=prepare)(envelope([{"id": "a"}, {"id": "b"}]), Clock())
    assert [(entry["id"], entry["error"]["type"]) for entry in answer["results"]] == [
        ("a", "AuthenticationFailed"),
        ("b", "AuthenticationFailed"),
    ]


def test_small_files_travel_inline() -> None:
    answer = handler(envelope([{"id": "a", "do": "file", "text": "päckchen"}]), Clock())
    assert content(answer["results"][0]["value"]["files"][0]["file"]).decode() == "päckchen"


def test_without_a_bucket_a_full_answer_says_so() -> None:
    event = envelope([{"id": "a", "do": "file", "text": "x" * 9000}], results={"inline_limit": 5000})
    error = handler(event, Clock())["results"][0]["error"]
    assert error["type"] == "NoRoom" and "fewer items" in error["message"]


@pytest.mark.parametrize(
    ("event", "word"),
    [
        ([], "JSON object"),
        ({"version": 2, "items": []}, "version"),
        ({"version": 1}, "items_uri"),
        ({"version": 1, "items": [], "items_uri": "s3://a/b"}, "exactly one"),
        ({"version": 1, "items": {}}, "list"),
        ({"version": 1, "items": [{"id": "a"}, {"no": "id"}]}, r"items\[1\]"),
        ({"version": 1, "items": [{"id": "a"}, {"id": "a"}]}, "repeats"),
        ({"version": 1, "items": [], "context": "x"}, "context"),
        ({"version": 1, "items": [], "results": {"bucket": "b"}}, "prefix"),
        ({"version": 1, "items": [], "results": {"inline_limit": "4"}}, "inline_limit"),
        ({"version": 1, "items_uri": "http://example.org/x"}, "s3://"),
    ],
)
def test_refuses_a_bad_envelope_by_name(event: Any, word: str) -> None:
    with pytest.raises(EnvelopeError, match=word):
        handler(event, Clock())


def test_every_entry_says_how_long_its_item_took() -> None:
    items: list[dict[str, Any]] = [
        {"id": "a", "do": "sleep", "seconds": 0.12},
        {"id": "b"},
        {"id": "c", "do": "missing"},
    ]
    slow, quick, missing = (entry["ms"] for entry in handler(envelope(items), Clock())["results"])
    assert 120 <= slow < 500
    assert 0 <= quick < 50 and 0 <= missing < 50


def test_writes_two_log_lines_without_payload(capsys: pytest.CaptureFixture[str]) -> None:
    items = [{"id": "secret-customer", "do": "missing"}, {"id": "b", "do": "file", "text": "private"}]
    handler(envelope(items, {"connection": {"password": "hunter2"}}), Clock())
    text = capsys.readouterr().out
    begun, worked = (json.loads(line) for line in text.splitlines())
    assert (begun["message"], begun["chunk"], begun["requestId"]) == ("chunk begun", "c-1", Clock.aws_request_id)
    assert worked["errors"] == {"NotFound": 1} and worked["items"] == 2 and worked["chunk"] == "c-1"
    assert not any(word in text for word in ("hunter2", "private", "secret-customer", "no such file"))
