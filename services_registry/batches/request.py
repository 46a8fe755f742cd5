"""The request of one chunk: the batch envelope, version 1, or the plain JSON of a run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from core.aws import storage
from services_registry.capabilities import Asked, Capability
from services_registry.models import Batch

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


class Sent(Protocol):
    """A chunk as far as its request needs it: a row, or a claim on it."""

    @property
    def pk(self) -> UUID: ...
    @property
    def batch_id(self) -> UUID: ...
    @property
    def batch(self) -> Batch: ...
    @property
    def group(self) -> str: ...


def plain_request(batch: Batch, key: str, own: str | None) -> Request:
    """The payload as it was given: the item's own (JSON text), else the batch's."""
    body = (own if own is not None else json.dumps(batch.payload)).encode()
    return Request(body, [key], size=len(body))


def payloads_request(chunk: Sent, payloads: str, keys: list[str]) -> Request:
    """An envelope around payloads that the batch brought along: JSON objects with commas between them."""
    return _request(chunk, chunk.batch.context, [payloads.encode()], keys, [])


def envelope_request(capability: Capability, chunk: Sent, keys: Sequence[str]) -> Request:
    """Ask the capability and wrap its answer. Secrets in the context exist only in the returned bytes.

    Raises:
        AwsError: the items were too big to go inline and could not be stored.
    """
    payloads = capability.payloads_of(keys, Asked.of(chunk.batch))
    wanted = [key for key in keys if key in payloads]
    gone = [key for key in keys if key not in payloads]
    context = capability.context(chunk.batch, chunk.group) if wanted else {}
    return _request(chunk, context, (encode({**payloads[key], "id": key}) for key in wanted), wanted, gone)


def _request(
    chunk: Sent, context: Mapping[str, Any], items: Iterable[bytes], wanted: list[str], gone: list[str]
) -> Request:
    """The envelope around `items`, each a JSON object."""
    envelope: dict[str, Any] = {
        "version": VERSION,
        "batch": str(chunk.batch_id),
        "chunk": str(chunk.pk),
        "context": context,
        "results": {
            "bucket": settings.EXCHANGE_BUCKET,
            "prefix": results_prefix(chunk),
            "inline_limit": ANSWER_INLINE_LIMIT,
        },
    }
    listed, size = [], 0
    waiting = iter(items)
    for item in waiting:
        listed.append(item)
        size += len(item) + 1
        if size > INLINE_LIMIT:
            envelope["items_uri"], size = _store_list(chunk, chain(listed, waiting))
            return Request(encode(envelope), wanted, gone, size)
    body = b"".join([encode(envelope)[:-1], b',"items":[', b",".join(listed), b"]}"])
    return Request(body, wanted, gone, len(body))


def _store_list(chunk: Sent, items: Iterable[bytes]) -> tuple[str, int]:
    """Put a JSON list into the exchange bucket: (address, bytes). On disk first: it is never whole in memory."""
    with tempfile.TemporaryFile() as file:
        file.write(b"[")
        for position, item in enumerate(items):
            file.write(b"," if position else b"")
            file.write(item)
        file.write(b"]")
        key = f"requests/{chunk.batch_id}/{chunk.pk}.json"
        return storage.put_stream(key, file, content_type="application/json"), file.tell()


def results_prefix(chunk: Sent) -> str:
    return f"results/{chunk.batch_id}/{chunk.pk}/"


def encode(value: Any) -> bytes:
    """JSON with dates and decimals as text; refuses NaN, which Lambda would refuse later."""
    return json.dumps(value, cls=DjangoJSONEncoder, allow_nan=False, separators=(",", ":")).encode()
