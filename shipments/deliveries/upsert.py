"""Writing many shipments at once: COPY into a temporary table, then one INSERT that updates only what differs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from shipments.models import Carrier

_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS shipment_stage (
    carrier_id bigint, tracking_number text, reference text, customer text, status text, sender jsonb, recipient jsonb,
    parcels jsonb, notes text, created timestamptz, promised timestamptz, delivered timestamptz
) ON COMMIT DELETE ROWS
"""
_COLUMNS = (
    "tracking_number", "reference", "customer", "status", "sender", "recipient", "parcels", "notes",
    "created", "promised", "delivered",
)  # fmt: skip
# Left join: what a row does not state keeps the value the shipment has. Sorted, so that two imports cannot deadlock.
# The guard leaves unchanged rows untouched: no new row version, no index work, `updated` stays.
_UPSERT = """
INSERT INTO shipments_shipment AS known (carrier_id, tracking_number, reference, customer, status, reason, sender, recipient,
    destination_country, parcels, notes, created, promised, delivered, updated, sample)
SELECT t.carrier_id, t.tracking_number, coalesce(t.reference, s.reference, ''), coalesce(t.customer, s.customer, ''),
    coalesce(t.status, s.status, 'pending'),
    CASE WHEN t.status IS NULL OR t.status = s.status THEN coalesce(s.reason, '') ELSE '' END,
    coalesce(s.sender, '{}') || coalesce(t.sender, '{}'), coalesce(s.recipient, '{}') || coalesce(t.recipient, '{}'),
    coalesce(t.recipient ->> 'country', s.destination_country, ''), coalesce(t.parcels, s.parcels, '[]'),
    coalesce(t.notes, s.notes, ''), coalesce(t.created, s.created, now()), coalesce(t.promised, s.promised),
    coalesce(t.delivered, s.delivered), now(), coalesce(s.sample, %s)
FROM shipment_stage t LEFT JOIN shipments_shipment s USING (carrier_id, tracking_number)
ORDER BY t.carrier_id, t.tracking_number
ON CONFLICT (carrier_id, tracking_number) DO UPDATE SET
    reference = excluded.reference, customer = excluded.customer, status = excluded.status, reason = excluded.reason,
    sender = excluded.sender, recipient = excluded.recipient, destination_country = excluded.destination_country,
    parcels = excluded.parcels, notes = excluded.notes, created = excluded.created, promised = excluded.promised,
    delivered = excluded.delivered, updated = excluded.updated
WHERE (known.reference, known.customer, known.status, known.reason, known.sender, known.recipient,
       known.destination_country, known.parcels, known.notes, known.created, known.promised, known.delivered)
    IS DISTINCT FROM
      (excluded.reference, excluded.customer, excluded.status, excluded.reason, excluded.sender, excluded.recipient,
       excluded.destination_country, excluded.parcels, excluded.notes, excluded.created, excluded.promised, excluded.delivered)
RETURNING (xmax = 0)
"""


@dataclass(frozen=True, slots=True)
class Written:
    created: int
    updated: int
    unchanged: int


def ensure_carriers(names: Mapping[str, str], *, sample: bool) -> dict[str, int]:
    """Ids by code; carriers not known yet are made."""
    known = dict(Carrier.objects.filter(code__in=names).values_list("code", "pk"))
    missing = [Carrier(code=code, name=name, sample=sample) for code, name in names.items() if code not in known]
    if missing:
        Carrier.objects.bulk_create(missing, ignore_conflicts=True)
        known = dict(Carrier.objects.filter(code__in=names).values_list("code", "pk"))
    return known


def upsert(rows: Sequence[tuple[str, Mapping[str, Any]]], names: Mapping[str, str], *, sample: bool = False) -> Written:
    """Write (carrier code, values) rows with distinct keys in one transaction."""
    if not rows:
        return Written(0, 0, 0)
    with transaction.atomic(), connection.cursor() as cursor:
        carriers = ensure_carriers(names, sample=sample)
        cursor.execute(_STAGE)
        cursor.execute("DELETE FROM shipment_stage")
        with cursor.copy(f"COPY shipment_stage (carrier_id, {', '.join(_COLUMNS)}) FROM STDIN") as copy:
            for code, values in rows:
                copy.write_row([carriers[code], *(_cell(values.get(name)) for name in _COLUMNS)])
        cursor.execute(_UPSERT, [sample])
        touched = [created for (created,) in cursor.fetchall()]
    created = sum(map(bool, touched))
    return Written(created, len(touched) - created, len(rows) - len(touched))


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
