"""What is too big for one call travels through the exchange bucket, both ways, and is removed at the end."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO, cast

import pytest
from django.conf import settings

from core.aws import storage
from core.aws.clients import management_client
from core.aws.errors import AwsConflict, AwsNotFound, AwsRejected
from core.aws.functions import create_function
from services_registry import capabilities
from services_registry.batches.answer import AnswerError, read_answer
from services_registry.batches.request import envelope_request, results_prefix
from services_registry.capabilities import OpenBinary
from services_registry.models import Batch, CapabilityBinding, Chunk
from tests.batches.conftest import Toy
from tests.batches.test_outcomes import play
from tests.memory import MEGABYTE, memory_grows_at_most

Work = Callable[..., Batch]
FUNCTION = "toy-storage-function"
PADDING = "x" * 2_000_000
CONTENT = b"a file that is too big for the answer"
HANDLER = f"""
import hashlib, json, os
import boto3
from botocore.config import Config

s3 = boto3.client("s3", config=Config(s3={{"addressing_style": "path"}}))

def handler(event, context):
    items = event.get("items")
    if items is None:
        bucket, _, key = event["items_uri"].removeprefix("s3://").partition("/")
        items = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    place = event["results"]
    def put(name, body):
        s3.put_object(Bucket=place["bucket"], Key=place["prefix"] + name, Body=body)
        return "s3://" + place["bucket"] + "/" + place["prefix"] + name
    content = {CONTENT!r}
    file = {{"uri": put("file", content), "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}}
    outside = {{"uri": "s3://another-bucket/secret", "bytes": 1, "sha256": ""}}
    def value(item):
        return {{"said": len(item["padding"]), "file": outside if item["do"] == "outside" else file}}
    results = [{{"id": item["id"], "ok": True, "value": value(item)}} for item in items]
    return {{"version": 1, "results_uri": put("results.json", json.dumps(results)), "unfinished": [], "stats": {{}}}}
"""


class BigToy(Toy):
    """Each item brings two megabytes; the file of each result must arrive whole."""

    def payload(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {key: {"do": key.split("-")[0], "padding": PADDING} for key in keys}

    def apply(
        self, key: str, value: Mapping[str, Any], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, Any] | None:
        with open_binary(value["file"]) as stream:
            digest = hashlib.sha256(stream.read()).hexdigest()
        return {"padding": value["said"], "digest": digest}


@pytest.fixture
def big_toy(toy: str) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", HANDLER)
    with suppress(AwsConflict):
        create_function(
            region=settings.AWS_REGION, code_zip=packed.getvalue(), FunctionName=FUNCTION, Runtime="python3.12",
            Role="arn:aws:iam::123456789012:role/toy", Handler="app.handler", Timeout=20, MemorySize=256,
        )  # fmt: skip
    CapabilityBinding.objects.create(capability="toy", function_name=FUNCTION, chunk_size=3)
    capabilities.register(BigToy())
    return toy


@pytest.mark.slow
def test_big_requests_answers_and_files_go_through_storage(big_toy: str, work: Work) -> None:
    batch = work(play("ok-1", "ok-2", "ok-3"))
    assert batch.function_name == FUNCTION, "the binding decides"
    assert batch.succeeded == 3, list(batch.items.values())
    assert (batch.chunks.get().request_bytes or 0) > 6_000_000
    assert batch.items.get(key="ok-1").result == {"padding": 2_000_000, "digest": hashlib.sha256(CONTENT).hexdigest()}


@pytest.mark.slow
def test_a_finished_batch_leaves_nothing_in_the_bucket(big_toy: str, work: Work) -> None:
    batch = work(play("ok-1", "ok-2", "ok-3"))
    listed = management_client("s3").list_objects_v2(Bucket=settings.EXCHANGE_BUCKET, Prefix="")
    assert not [entry["Key"] for entry in listed.get("Contents", []) if str(batch.pk) in entry["Key"]]


@pytest.mark.slow
def test_an_answer_cannot_point_elsewhere(big_toy: str, work: Work) -> None:
    batch = work(play("outside-1"))
    assert batch.items.get().error_type == "WrongPlace"


@pytest.mark.slow
def test_the_bucket_is_made_once_and_values_come_back(toy_function: str) -> None:
    assert storage.ensure_bucket() is False
    uri = storage.put_json("requests/test/value.json", {"a": [1, "ü"]})
    assert storage.get_json(uri) == {"a": [1, "ü"]}
    assert storage.delete_prefix("requests/test/") == 1
    with pytest.raises(AwsNotFound):
        storage.get_json(uri)


@pytest.mark.slow
def test_a_big_request_goes_to_storage_without_being_whole_in_memory(toy_function: str) -> None:
    chunk = Chunk(batch=Batch(), position=0)
    keys = [f"ok-{n}" for n in range(20)]
    with memory_grows_at_most(20 * MEGABYTE):
        request = envelope_request(BigToy(), chunk, keys)
    envelope = json.loads(request.body)
    assert request.size > 40_000_000 and "items" not in envelope and len(request.body) < 1_000
    items = storage.get_json(envelope["items_uri"])
    assert [item["id"] for item in items] == keys and len(items[0]["padding"]) == 2_000_000
    storage.delete_prefix(f"requests/{chunk.batch_id}/")


@pytest.mark.slow
def test_a_list_of_results_too_long_to_read_is_refused_in_words(toy_function: str) -> None:
    chunk = Chunk(batch=Batch(), position=0)
    with tempfile.TemporaryFile() as file:
        for _ in range(65):
            file.write(b" " * MEGABYTE)
        uri = storage.put_stream(f"{results_prefix(chunk)}results.json", cast(BinaryIO, file))
    with memory_grows_at_most(20 * MEGABYTE):
        with pytest.raises(AwsRejected, match="68,157,440 bytes; at most 67,108,864"):
            storage.get_json(uri)
        with pytest.raises(AnswerError, match="at most 67,108,864 are read"):
            read_answer(json.dumps({"version": 1, "results_uri": uri}).encode(), ["a"], chunk)
    storage.delete_prefix(results_prefix(chunk))


def test_what_is_left_behind_expires_after_the_days_that_are_set(toy_function: str, settings: Any) -> None:
    settings.EXCHANGE_EXPIRY_DAYS = 3
    storage.ensure_bucket()
    rules = management_client("s3").get_bucket_lifecycle_configuration(Bucket=settings.EXCHANGE_BUCKET)["Rules"]
    assert [rule["Expiration"]["Days"] for rule in rules if rule["Status"] == "Enabled"] == [3]
