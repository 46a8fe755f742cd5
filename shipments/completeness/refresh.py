"""Bringing the rows of some deliveries in line with the facts: read in a few queries, judged by `expect`, written by one.

All who refresh take one lock, one after the other, and read after they have it: nothing old overwrites something new.
What changes meanwhile is noted again by whoever changes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from shipments.completeness.expect import MOVED, Delivery, Expected, Facts, Patience, Try, expected_of
from shipments.completeness.kinds import CAPABILITIES, OPTION, type_of
from shipments.completeness.rules import Rulebook, current_rules
from shipments.models import CompletenessNote, CompletenessSettings

AT_ONCE = 2_000
LOCK = 7_226_015
_DELIVERIES = """
SELECT s.id, s.carrier_id, upper(coalesce(s.sender ->> 'country', '')), s.destination_country, s.incoterm, s.status,
    s.status_at, s.created, s.promised, s.delivered, s.sample
FROM shipments_shipment s WHERE s.id = ANY(%s)
"""
_MOVED = """
SELECT shipment_id, min(at) FROM shipments_trackingevent
WHERE shipment_id = ANY(%s) AND status = ANY(%s) GROUP BY shipment_id
"""
_DOCUMENTS = """
SELECT shipment_id, type, min(created) FROM shipments_document
WHERE shipment_id = ANY(%s) AND state = 'stored' GROUP BY shipment_id, type
"""
_WAIVED = "SELECT shipment_id, document_type FROM shipments_documentwaiver WHERE shipment_id = ANY(%s)"
_TRIES = f"""
SELECT i.key::bigint, b.capability, b.context ->> '{OPTION}', i.state, i.id, b.id::text, i.settled, i.error_type,
    left(i.error_message, 300)
FROM services_registry_batchitem i JOIN services_registry_batch b ON b.id = i.batch_id
WHERE i.key = ANY(%s) AND b.capability = ANY(%s) AND i.state <> 'cancelled'
"""  # noqa: S608  # our own option's name
_COLUMNS = {
    "shipment_id": "bigint", "document_type": "text", "carrier_id": "bigint", "sample": "boolean",
    **{"rule_id": "bigint", "obtain": "text", "state": "text", "turn": "text", "since": "timestamptz",
       "due": "timestamptz", "completed": "timestamptz", "tries": "int", "last_item": "bigint",
       "last_batch_id": "uuid", "last_try": "timestamptz", "error_type": "text", "error_message": "text",
       "next_try": "timestamptz"},
}  # fmt: skip
_NAMES = ", ".join(_COLUMNS)
_WRITE = f"""
INSERT INTO shipments_expecteddocument AS known ({_NAMES})
SELECT * FROM unnest({", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())})
ON CONFLICT (shipment_id, document_type) DO UPDATE SET ({_NAMES}) = ({", ".join(f"excluded.{n}" for n in _COLUMNS)})
"""  # noqa: S608  # made of the names above only
_STORED = f"SELECT {_NAMES}, id FROM shipments_expecteddocument WHERE shipment_id = ANY(%s)"  # noqa: S608
_DROP = "DELETE FROM shipments_expecteddocument WHERE id = ANY(%s)"
_TYPE, _FROM = 1, 4
"""Where in a row of `_COLUMNS` the type is, and where what `Expected` says after its type begins."""


class Refreshed(NamedTuple):
    """How many rows were written and dropped."""

    written: int = 0
    dropped: int = 0


def note_deliveries(shipment_ids: Iterable[int]) -> None:
    """Something about these deliveries' documents changes in this transaction: they are looked at soon after it."""
    CompletenessNote.objects.bulk_create([CompletenessNote(shipment_id=pk) for pk in shipment_ids])


def hold() -> None:
    """Take the lock of all who refresh, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def current_patience() -> Patience:
    settings = CompletenessSettings.current()
    first, longest = timedelta(hours=settings.first_wait_hours), timedelta(hours=settings.longest_wait_hours)
    return Patience(first, longest, settings.most_tries)


def refresh(shipment_ids: Iterable[int], now: datetime | None = None) -> Refreshed:
    """Bring these deliveries' rows in line. Harmless at any time and any number of times; unknown ids are left out."""
    ids = sorted(set(shipment_ids))
    total = Refreshed()
    for start in range(0, len(ids), AT_ONCE):
        with transaction.atomic():
            hold()
            some = _refresh_some(ids[start : start + AT_ONCE], now or timezone.now())
        total = Refreshed(total.written + some.written, total.dropped + some.dropped)
    return total


def _refresh_some(ids: list[int], now: datetime) -> Refreshed:
    wanted: dict[tuple[int, str], tuple[Any, ...]] = {}
    for delivery, judged in judge(ids, now):
        for row in judged:
            if row.kept:
                head = (delivery.id, row.document_type, delivery.carrier_id, delivery.sample)
                wanted[delivery.id, row.document_type] = (*head, *row[1:])
    with connection.cursor() as cursor:
        cursor.execute(_STORED, [ids])
        stored = {(row[0], row[1]): row for row in cursor.fetchall()}
        changed = [row for key, row in wanted.items() if key not in stored or _differs(stored[key], row)]
        gone = [row[-1] for key, row in stored.items() if key not in wanted]
        if changed:
            cursor.execute(_WRITE, [list(column) for column in zip(*changed, strict=True)])
        if gone:
            cursor.execute(_DROP, [gone])
    return Refreshed(len(changed), len(gone))


_BATCH = list(_COLUMNS).index("last_batch_id")


def _differs(stored: Sequence[Any], wanted: Sequence[Any]) -> bool:
    plain = list(stored[:-1])
    plain[_BATCH] = str(plain[_BATCH]) if plain[_BATCH] else None
    return plain != list(wanted)


def judge(ids: Sequence[int], now: datetime, book: Rulebook | None = None) -> list[tuple[Delivery, list[Expected]]]:
    """These deliveries with everything expected of them; nothing is written."""
    book = book or Rulebook(current_rules())
    deliveries, patience = deliveries_of(ids, moved=book.asks_for_pick_up), current_patience()
    facts = facts_of(ids)
    return [
        (delivery, expected_of(delivery, book, facts.get(delivery.id, Facts()), patience, now))
        for delivery in deliveries
    ]


def deliveries_of(ids: Sequence[int], *, moved: bool) -> list[Delivery]:
    """Their rows; with `moved` also when a carrier had them first."""
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERIES, [list(ids)])
        rows = cursor.fetchall()
        first: dict[int, datetime] = {}
        if moved:
            cursor.execute(_MOVED, [list(ids), MOVED])
            first = dict(cursor.fetchall())
    return [Delivery(*row)._replace(moved=first.get(row[0])) for row in rows]


def facts_of(ids: Sequence[int], *, tries: bool = True) -> Mapping[int, Facts]:
    """What is known beside the deliveries, of those of which something is."""
    documents: dict[int, dict[str, datetime]] = {}
    waived: dict[int, set[str]] = {}
    tried: dict[int, list[Try]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_DOCUMENTS, [list(ids)])
        for pk, document_type, kept in cursor.fetchall():
            documents.setdefault(pk, {})[document_type] = kept
        cursor.execute(_WAIVED, [list(ids)])
        for pk, document_type in cursor.fetchall():
            waived.setdefault(pk, set()).add(document_type)
        if tries:
            cursor.execute(_TRIES, [[str(pk) for pk in ids], list(CAPABILITIES)])
            for pk, capability, option, state, item, batch, settled, *error in cursor.fetchall():
                entry = Try(type_of(capability, option), state, item, batch, settled, *error)
                tried.setdefault(pk, []).append(entry)
    return {
        pk: Facts(documents.get(pk, {}), frozenset(waived.get(pk, ())), tried.get(pk, ()))
        for pk in {*documents, *waived, *tried}
    }
