"""What does not fit into an invocation goes through object storage, over HTTP against a local S3."""

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from shipments.functions.runtime import storage
from shipments.functions.runtime.answer import Binary
from shipments.functions.runtime.batch import batch_handler
from shipments.functions.runtime.errors import EnvelopeError
from tests.functions.conftest import BUCKET
from tests.functions.support import Clock, content, envelope

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LIMIT = 20_000
PLACE = {"bucket": BUCKET, "prefix": "results/b-1/c-1/", "inline_limit": LIMIT}


def _file(item: dict[str, Any], context: dict[str, Any], shared: None) -> dict[str, Any]:
    return {"file": Binary(b"x" * item["bytes"], "text/plain"), "note": item.get("note", "")}


handler = batch_handler(_file)


def _stored(client: "S3Client", uri: str) -> bytes:
    name, key = storage.split_uri(uri)
    return client.get_object(Bucket=name, Key=key)["Body"].read()


def test_items_come_from_storage(bucket: "S3Client") -> None:
    key = "requests/b-1/c-1.json"
    bucket.put_object(Bucket=BUCKET, Key=key, Body=json.dumps([{"id": "a", "bytes": 3}]).encode())
    answer = handler(envelope([], items_uri=f"s3://{BUCKET}/{key}") | {"items": None}, Clock())
    assert content(answer["results"][0]["value"]["file"]) == b"xxx"


@pytest.mark.parametrize(("body", "words"), [(None, "NoSuchKey"), (b"[{", "not JSON"), (b"{}", "JSON list")])
def test_unreadable_items_are_named(bucket: "S3Client", body: bytes | None, words: str) -> None:
    if body is not None:
        bucket.put_object(Bucket=BUCKET, Key="requests/x.json", Body=body)
    with pytest.raises(EnvelopeError, match=words):
        handler(envelope([], items_uri=f"s3://{BUCKET}/requests/x.json") | {"items": None}, Clock())


def test_files_are_stored_once_the_inline_room_is_used_up(bucket: "S3Client") -> None:
    items = [{"id": str(n), "bytes": 4_000} for n in range(6)]
    answer = handler(envelope(items, results=PLACE), Clock())
    files = [entry["value"]["file"] for entry in answer["results"]]
    inline, stored = [f for f in files if "content_b64" in f], [f for f in files if "uri" in f]
    assert len(inline) >= 2 and len(stored) >= 2 and len(inline) + len(stored) == 6
    assert len(json.dumps(answer)) <= LIMIT
    assert len({f["uri"] for f in stored}) == len(stored)
    for file in stored:
        found = _stored(bucket, file["uri"])
        assert (len(found), hashlib.sha256(found).hexdigest()) == (file["bytes"], file["sha256"])


def test_the_whole_answer_is_stored_when_its_words_alone_are_too_many(bucket: "S3Client") -> None:
    items = [{"id": str(n), "bytes": 1, "note": "ü" * 3_000} for n in range(5)]
    answer = handler(envelope(items, results=PLACE), Clock())
    assert "results" not in answer and answer["unfinished"] == []
    results = json.loads(_stored(bucket, answer["results_uri"]))
    assert [entry["id"] for entry in results] == [item["id"] for item in items]


def test_an_answer_is_never_larger_than_the_limit(bucket: "S3Client") -> None:
    for size in (0, 100, 2_999, 9_000):
        items = [{"id": str(n), "bytes": size} for n in range(12)]
        assert len(json.dumps(handler(envelope(items, results=PLACE), Clock()))) <= LIMIT


def test_doing_it_twice_stores_nothing_new(bucket: "S3Client") -> None:
    items = [{"id": str(n), "bytes": 9_000} for n in range(4)]
    keys = []
    for _ in range(2):
        handler(envelope(items, results=PLACE), Clock())
        keys.append([entry["Key"] for entry in bucket.list_objects_v2(Bucket=BUCKET)["Contents"]])
    assert keys[0] == keys[1]


def test_storage_checks_and_keeps_the_digest_of_what_is_stored(bucket: "S3Client") -> None:
    (entry,) = handler(envelope([{"id": "a", "bytes": 50_000}], results=PLACE), Clock())["results"]
    file = entry["value"]["file"]
    head = bucket.head_object(Bucket=BUCKET, Key=storage.split_uri(file["uri"])[1], ChecksumMode="ENABLED")
    assert base64.b64decode(head["ChecksumSHA256"]).hex() == file["sha256"]


def test_storage_that_refuses_is_that_items_retryable_error(bucket: "S3Client") -> None:
    place = PLACE | {"bucket": "no-such-bucket"}
    answer = handler(envelope([{"id": "a", "bytes": 50_000}, {"id": "b", "bytes": 1}], results=place), Clock())
    first, second = answer["results"]
    assert first["error"]["type"] == "StorageUnavailable" and first["error"]["retryable"] is True
    assert second["ok"] is True
