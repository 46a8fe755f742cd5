"""Events into the database, each once, and the deliveries they belong to brought in line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from shipments.events.parsing import Said
from shipments.models import Shipment
from shipments.status import Meaning, look_up
from shipments.status.derive import derive_moves

# Sorted, so that two webhooks with the same events wait for each other instead of deadlocking.
_INSERT = """
INSERT INTO shipments_trackingevent (shipment_id, at, code, text, place, status, reason, unmapped, source, received)
SELECT shipment_id, at, code, text, place, status, reason, unmapped, %s, %s
FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::boolean[])
    AS n(shipment_id, at, code, text, place, status, reason, unmapped)
ORDER BY shipment_id, at, code, text
ON CONFLICT (shipment_id, at, code, text) DO NOTHING
RETURNING shipment_id
"""
# A new event may change nothing of its delivery; those who follow deliveries shall see it all the same.
_TOUCH = "UPDATE shipments_shipment SET updated = clock_timestamp() WHERE id = ANY(%s)"


@dataclass(slots=True)
class Stored:
    """`unknown`: events of tracking numbers that this carrier has no delivery for."""

    new: int = 0
    known: int = 0
    unknown: list[Said] = field(default_factory=list)


@transaction.atomic
def store(carrier_id: int, events: Sequence[Said], *, source: str, received: datetime) -> Stored:
    """Write the events of known deliveries and derive their status. Again, or in another order, nothing changes."""
    numbers = {event.tracking_number for event in events}
    found = Shipment.objects.filter(carrier_id=carrier_id, tracking_number__in=numbers)
    ids = dict(found.values_list("tracking_number", "pk"))
    ours = [event for event in events if event.tracking_number in ids]
    stored = Stored(unknown=[event for event in events if event.tracking_number not in ids])
    if ours:
        rows = [_row(ids[event.tracking_number], carrier_id, event) for event in ours]
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [source, received, *(list(column) for column in zip(*rows, strict=True))])
            touched = [pk for (pk,) in cursor.fetchall()]
        stored.new, stored.known = len(touched), len(ours) - len(touched)
        moved = {move.shipment_id for move in derive_moves(touched)}
        if still := sorted(set(touched) - moved):
            with connection.cursor() as cursor:
                cursor.execute(_TOUCH, [still])
    return stored


def _row(shipment_id: int, carrier_id: int, event: Said) -> tuple[object, ...]:
    said = Meaning(event.status, event.reason, mapped=True)  # outright, when there is one
    meaning = said if event.status else look_up(carrier_id, event.code, event.at.date())
    unmapped = bool(event.code) and not meaning.mapped
    return (
        shipment_id, event.at, event.code, event.text, event.place, meaning.status, meaning.reason, unmapped
    )  # fmt: skip
