"""Amazon Data Firehose, delivery to an HTTP endpoint: one request holds many records, each a gzip of a log envelope.

Firehose delivers at least once and repeats what it got no 200 for. So what can never be read is refused with its reason
and answered with 200; only what may succeed later is answered with an error.
Source of the protocol: Amazon Data Firehose Developer Guide, "Understand HTTP endpoint delivery request and response
specifications", read 2026-11-24.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from typing import Any

import orjson
from django.utils import timezone

from services_registry.choices import Door
from services_registry.models import FirehoseKey
from services_registry.telemetry.ingest import Counts, ingest_events
from services_registry.telemetry.sources import Event, events_of, events_of_envelope

MOST_BYTES = 64 << 20  # the largest buffer that a stream can be set to
MOST_RECORDS = 10_000
MOST_RECORD_BYTES = 32 << 20  # unpacked; CloudWatch Logs sends at most 1 MB packed
_SEEN_EVERY_S = 60


class RefusedDelivery(Exception):
    """The request as a whole cannot be taken; `status` is the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def let_in(key: str) -> FirehoseKey:
    """The key that the stream shows. Every key on record is compared, in a time that tells nothing.

    Raises:
        RefusedDelivery: it opens nothing.
    """
    digest = FirehoseKey.digest_of(key)
    fitting = [row for row in FirehoseKey.objects.filter(revoked__isnull=True) if row.opens_with(digest)]
    if not key or not fitting:
        raise RefusedDelivery(401, "The access key is missing, unknown or revoked.")
    row, now = fitting[0], timezone.now()
    if row.last_used is None or (now - row.last_used).total_seconds() > _SEEN_EVERY_S:
        FirehoseKey.objects.filter(pk=row.pk).update(last_used=now)
    return row


def take(body: bytes, *, packed: bool, key: FirehoseKey) -> tuple[str, Counts]:
    """Store what one request holds; returns its id and what became of the lines.

    Raises:
        RefusedDelivery: too large, or not what Firehose sends.
    """
    if packed:
        body = _request_unpacked(body)
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RefusedDelivery(400, "The body is no JSON.") from error
    request_id = request.get("requestId") if isinstance(request, dict) else None
    records = request.get("records") if isinstance(request, dict) else None
    if not isinstance(request_id, str) or not isinstance(records, list):
        raise RefusedDelivery(400, "The body needs requestId and records.")
    if len(records) > MOST_RECORDS:
        raise RefusedDelivery(413, f"More than {MOST_RECORDS} records.")
    events = (event for record in records for event in _events(record))
    source = f"{key.name} {request_id[:100]}"
    return request_id, ingest_events(events, door=Door.FIREHOSE, source=source)


def _request_unpacked(body: bytes) -> bytes:
    try:
        return unpacked(body, MOST_BYTES * 2)
    except ValueError as error:
        raise RefusedDelivery(413 if "too large" in str(error) else 400, str(error)) from error


def _events(record: Any) -> Iterator[Event]:
    data = record.get("data") if isinstance(record, dict) else None
    try:
        raw = base64.b64decode(data or "", validate=True) if isinstance(data, str) else b""
        text = unpacked(raw, MOST_RECORD_BYTES) if raw[:2] == b"\x1f\x8b" else raw
    except (binascii.Error, ValueError) as error:
        yield Event(str(data)[:200], broken=f"Firehose record that cannot be unpacked: {error}")
        return
    if not text.strip():
        yield Event(str(record)[:200], broken="Firehose record without data")
        return
    try:
        envelope = orjson.loads(text)
    except orjson.JSONDecodeError:
        envelope = None
    if isinstance(envelope, dict) and isinstance(envelope.get("logEvents"), list):
        yield from events_of_envelope(envelope)
    else:
        yield from events_of(text.decode("utf-8", "replace").splitlines())


def unpacked(data: bytes, at_most: int) -> bytes:
    """A gzip's content, of all its members.

    Raises:
        ValueError: it is damaged, cut off or too large.
    """
    parts: list[bytes] = []
    size = 0
    while data:
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(data, at_most - size + 1))
        except zlib.error as error:
            raise ValueError("damaged gzip") from error
        size += len(parts[-1])
        if size > at_most:
            raise ValueError(f"too large: unpacks to more than {at_most >> 20} MB")
        if not member.eof:
            raise ValueError("gzip cut off")
        data = member.unused_data
    return b"".join(parts)
