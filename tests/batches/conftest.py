"""A toy capability whose function really runs in the local AWS. What an item does is the first word of its key."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings

from core.audit import record
from core.aws import storage
from core.aws.clients import management_client
from core.aws.errors import AwsConflict
from core.aws.functions import create_function
from services_registry import capabilities
from services_registry.batches import drain
from services_registry.capabilities import Capability, ItemFailed, ItemRef, OpenBinary, Selection
from services_registry.choices import BatchState
from services_registry.models import Batch, Function

FUNCTION = "toy-batch-function"
TIMEOUT_S = 2
HANDLER = """
import time

def work(item):
    do = item["do"]
    if do == "crash":
        raise RuntimeError("asked to crash")
    if do == "sleep":
        time.sleep(60)
    if do == "slow":
        time.sleep(1)
    if do == "error":
        return {"id": item["id"], "ok": False, "error": {"type": "NotFound", "message": "asked to fail"}}
    if do == "file":
        broken = {"content_b64": "aGVsbG8=", "bytes": 5, "sha256": "wrong"}
        return {"id": item["id"], "ok": True, "value": {"file": broken}}
    if do == "silent":
        return None
    return {"id": item["id"], "ok": True, "value": {"said": item["id"]}}

def handler(event, context):
    if "version" not in event:
        if event.get("crash"):
            raise ValueError("asked to crash")
        return {"echo": event}
    items = event["items"]
    later = [i["id"] for i in items if i["do"] == "later" and len(items) > 1]
    results = [work(i) for i in items if i["id"] not in later]
    return {"version": 1, "results": [r for r in results if r], "unfinished": later, "stats": {}}
"""


class Toy(Capability):
    slug = "toy"
    label = "Play"
    item_noun = "toys"
    default_function = FUNCTION
    default_chunk_size = 4
    default_concurrency = 2

    def resolve(self, selection: Selection) -> Iterable[ItemRef]:
        return [ItemRef(key, f"toy {key}") for key in selection["keys"]]

    def payload(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {key: {"do": key.split("-")[0]} for key in keys if not key.startswith("gone")}

    def partition(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {key: key.partition("@")[2] for key in keys}

    def apply(
        self, key: str, value: Mapping[str, Any], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, Any] | None:
        record(actor=None, verb="toy.applied", target=key)
        if "file" in value:
            with open_binary(value["file"]) as stream:
                stream.read()
        if key.startswith("refused"):
            raise ItemFailed("Refused", "the toy does not take this")
        return {"said": value["said"]}


@pytest.fixture(scope="session")
def toy_function() -> str:
    """The function, published in the local AWS."""
    if not settings.AWS_ENDPOINT_URL:
        pytest.skip("needs the local AWS: AWS_ENDPOINT_URL is not set")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", HANDLER)
    with suppress(AwsConflict):
        create_function(
            region=settings.AWS_REGION, code_zip=packed.getvalue(), FunctionName=FUNCTION, Runtime="python3.12",
            Role="arn:aws:iam::123456789012:role/toy", Handler="app.handler", Timeout=TIMEOUT_S, MemorySize=128,
        )  # fmt: skip
    storage.ensure_bucket()
    return FUNCTION


@pytest.fixture
def toy(transactional_db: None, toy_function: str) -> Iterator[str]:
    """The capability, bound to the published function; with its row in the registry."""
    Function.objects.create(
        account="123456789012", region=settings.AWS_REGION, name=FUNCTION, memory_mb=128, timeout_s=TIMEOUT_S,
        arn=f"arn:aws:lambda:{settings.AWS_REGION}:123456789012:function:{FUNCTION}",
    )  # fmt: skip
    capabilities.register(Toy())
    yield "toy"
    capabilities.unregister("toy")


@pytest.fixture
def work() -> Callable[..., Batch]:
    """Does what workers do, until the batch is over."""

    def until_over(batch: Batch, patience_s: float = 30) -> Batch:
        def over() -> bool:
            batch.refresh_from_db()
            return batch.state in {BatchState.DONE, BatchState.CANCELLED}

        if not drain(over, patience_s):
            pytest.fail(f"not over after {patience_s} s: {batch.state} {list(batch.chunks.values())}")
        batch.refresh_from_db()
        return batch

    return until_over


@pytest.fixture
def stopped(toy: str) -> Iterator[Callable[[], None]]:
    """The function is stopped (reserved concurrency 0) until the returned function is called."""
    client = management_client("lambda")
    client.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)

    def release() -> None:
        client.delete_function_concurrency(FunctionName=FUNCTION)

    yield release
    release()
