"""The request of one chunk: the batch envelope, version 1, or the plain JSON of a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from core.aws import storage
from services_registry.capabilities import Capability
from services_registry.models import Batch, Chunk

VERSION = 1
INLINE_LIMIT = 5_000_000
"""Bytes of items that travel inside the invocation; more go through the exchange bucket (a synchronous request may have
6 MB, AWS Lambda quotas, read 2026-11-23)."""
ANSWER_INLINE_LIMIT = 4_500_000


@dataclass(frozen=True, slots=True)
class Request:
    """`body` to send for `keys`; `gone` are keys the capability no longer knows."""

    body: bytes
    keys: list[str]
    gone: list[str] = field(default_factory=list)
    size: int = 0


def plain_request(batch: Batch, keys: list[str]) -> Request:
    """The payload as it was given."""
    body = json.dumps(batch.payload).encode()
    return Request(body, keys, size=len(body))


def envelope_request(capability: Capability, chunk: Chunk, keys: Sequence[str]) -> Request:
    """Ask the capability and wrap its answer. Secrets in the context exist only in the returned bytes.

    Raises:
        AwsError: the items were too big to go inline and could not be stored.
    """
    payloads = capability.payload(keys)
    wanted = [key for key in keys if key in payloads]
    gone = [key for key in keys if key not in payloads]
    items = encode([{**payloads[key], "id": key} for key in wanted])
    envelope: dict[str, Any] = {
        "version": VERSION,
        "batch": str(chunk.batch_id),
        "chunk": str(chunk.pk),
        "context": capability.context(chunk.batch, chunk.group) if wanted else {},
        "results": {
            "bucket": settings.EXCHANGE_BUCKET,
            "prefix": results_prefix(chunk),
            "inline_limit": ANSWER_INLINE_LIMIT,
        },
    }
    if len(items) > INLINE_LIMIT:
        envelope["items_uri"] = storage.put_bytes(
            f"requests/{chunk.batch_id}/{chunk.pk}.json", items, content_type="application/json"
        )
        return Request(encode(envelope), wanted, gone, len(items))
    # The items are encoded once: they are most of the bytes.
    body = encode(envelope)[:-1] + b',"items":' + items + b"}"
    return Request(body, wanted, gone, len(body))


def results_prefix(chunk: Chunk) -> str:
    return f"results/{chunk.batch_id}/{chunk.pk}/"


def encode(value: Any) -> bytes:
    """JSON with dates and decimals as text; refuses NaN, which Lambda would refuse later."""
    return json.dumps(value, cls=DjangoJSONEncoder, allow_nan=False, separators=(",", ":")).encode()
