"""Take in carrier messages from a CSV, once each."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.text import slugify

from shipments.models import Carrier, CarrierMessage, Shipment

BATCH_SIZE = 1_000
LONGEST_CODE = 80


class UnreadableMessagesError(ValueError):
    """The file has no usable header; the message says which columns are needed."""


@dataclass(slots=True)
class MessageCounts:
    """`rows` = `created` + `known` + `refused`."""

    rows: int = 0
    created: int = 0
    known: int = 0
    refused: int = 0


@dataclass(slots=True)
class _Row:
    line: int
    carrier: str
    code: str
    text: str
    number: str
    received: str
    digest: str


def import_messages(
    source: TextIO, *, on_refused: Callable[[int, str], None] = lambda line, reason: None
) -> MessageCounts:
    """Store messages; columns carrier, carrier_code, message, and optionally tracking_number and received.

    The same row (the n-th one of a file with the same content) is stored once however often the file is sent.

    Raises:
        UnreadableMessagesError: a needed column is missing.
    """
    reader = csv.DictReader(source)
    names = {(name or "").strip().lstrip("\ufeff").lower() for name in reader.fieldnames or []}
    if not {"carrier", "message"} <= names:
        raise UnreadableMessagesError("The first line must name the columns carrier, carrier_code and message.")
    counts = MessageCounts()
    waiting: list[_Row] = []
    for row in _rows(reader, counts, on_refused):
        waiting.append(row)
        if len(waiting) >= BATCH_SIZE:
            _store(waiting, counts)
            waiting = []
    _store(waiting, counts)
    return counts


def _rows(reader: csv.DictReader[str], counts: MessageCounts, on_refused: Callable[[int, str], None]) -> Iterator[_Row]:
    seen: Counter[str] = Counter()
    for raw in reader:
        counts.rows += 1
        values = {
            str(name).strip().lstrip("\ufeff").lower(): str(value or "").replace("\x00", "")
            for name, value in raw.items()
        }
        carrier = slugify(values.get("carrier", ""))[:40]
        code, text = values.get("carrier_code", "").strip(), values.get("message", "").strip()
        reason = _reason(carrier, code, text, values.get("received", ""))
        if reason:
            counts.refused += 1
            on_refused(reader.line_num, reason)
            continue
        number, received = values.get("tracking_number", "").strip(), values.get("received", "").strip()
        content = "\x1f".join((carrier, code, text, number, received))
        seen[content] += 1
        digest = hashlib.sha256(f"{content}\x1f{seen[content]}".encode()).hexdigest()
        yield _Row(reader.line_num, carrier, code, text, number, received, digest)


def _reason(carrier: str, code: str, text: str, received: str) -> str:
    if not carrier:
        return "no carrier"
    if not code and not text:
        return "neither a code nor a message"
    if len(code) > LONGEST_CODE:
        return f"the code is longer than {LONGEST_CODE} characters"
    if received.strip():
        try:
            if _time(received) is None:
                return "received is not a time such as 2026-11-30T14:00:00Z"
        except (ValueError, OverflowError):
            return "received is not a possible time"
    return ""


def _time(received: str) -> datetime | None:
    """In UTC, which a time without a zone is taken to be. Raises ValueError or OverflowError for impossible ones."""
    parsed = parse_datetime(received.strip())
    if parsed is None:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


@transaction.atomic
def _store(rows: list[_Row], counts: MessageCounts) -> None:
    if not rows:
        return
    known = set(CarrierMessage.objects.filter(digest__in=[row.digest for row in rows]).values_list("digest", flat=True))
    fresh = [row for row in rows if row.digest not in known]
    codes = {row.carrier for row in fresh}
    Carrier.objects.bulk_create([Carrier(code=code, name=code) for code in sorted(codes)], ignore_conflicts=True)
    carriers = {carrier.code: carrier for carrier in Carrier.objects.filter(code__in=codes)}
    numbers = {row.number for row in fresh if row.number}
    found = Shipment.objects.filter(tracking_number__in=numbers, carrier__code__in=codes)
    shipments = {(shipment.carrier_id, shipment.tracking_number): shipment for shipment in found}
    CarrierMessage.objects.bulk_create(
        [_message(row, carriers[row.carrier], shipments.get((carriers[row.carrier].pk, row.number))) for row in fresh]
    )
    counts.created += len(fresh)
    counts.known += len(rows) - len(fresh)


def _message(row: _Row, carrier: Carrier, shipment: Shipment | None) -> CarrierMessage:
    message = CarrierMessage(carrier=carrier, shipment=shipment, code=row.code, text=row.text, digest=row.digest)
    received = _time(row.received) if row.received else None
    if received:
        message.received = received
    return message
