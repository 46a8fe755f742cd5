"""Writing many shipments at once: COPY into a temporary table, then one INSERT that touches only what differs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from django.db import connection
from psycopg.types.json import Jsonb

from shipments.deadlocks import again_after_deadlock
from shipments.models import Carrier
from shipments.status.moved import Moved
from shipments.webhooks import imports_are_told, tell_created, tell_moved

_COLUMNS = {
    "tracking_number": "text", "reference": "text", "customer": "text", "status": "text", "sender": "jsonb",
    "recipient": "jsonb", "parcels": "jsonb", "notes": "text", "created": "timestamptz", "promised": "timestamptz",
    "delivered": "timestamptz", "incoterm": "text",
}  # fmt: skip
_TYPES = ["int8", *_COLUMNS.values()]
_STAGE = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS shipment_stage (
    carrier_id bigint, {", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())}
) ON COMMIT DELETE ROWS
"""
_COPY = f"COPY shipment_stage (carrier_id, {', '.join(_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
_WRITTEN = (
    "reference", "customer", "status", "reason", "sender", "recipient", "destination_country", "parcels", "notes",
    "created", "promised", "delivered", "incoterm",
)  # fmt: skip


def _listed(pattern: str) -> str:
    return ", ".join(pattern.format(name) for name in _WRITTEN)


# Left join: what a row does not state keeps the value the shipment has; a status that came of the carrier's events
# (status_at) stays theirs. Sorted, so that two imports cannot deadlock.
# Unchanged rows fall out before the INSERT, which would lock every one of them; the guard below is for what somebody
# else wrote meanwhile. They get no new row version and no index work, and `updated` stays.
_WANTED = f"""
    SELECT t.carrier_id, t.tracking_number, s.id AS known_id, {_listed("s.{0} AS was_{0}")},
        coalesce(t.reference, s.reference, '') AS reference, coalesce(t.customer, s.customer, '') AS customer,
        CASE WHEN s.status_at IS NULL THEN coalesce(t.status, s.status, 'pending') ELSE s.status END AS status,
        CASE WHEN s.status_at IS NOT NULL OR t.status IS NULL OR t.status = s.status THEN coalesce(s.reason, '')
            ELSE '' END AS reason,
        coalesce(s.sender, '{{}}') || coalesce(t.sender, '{{}}') AS sender,
        coalesce(s.recipient, '{{}}') || coalesce(t.recipient, '{{}}') AS recipient,
        coalesce(t.recipient ->> 'country', s.destination_country, '') AS destination_country,
        coalesce(t.parcels, s.parcels, '[]') AS parcels, coalesce(t.notes, s.notes, '') AS notes,
        coalesce(t.created, s.created, now()) AS created, coalesce(t.promised, s.promised) AS promised,
        coalesce(t.delivered, s.delivered) AS delivered, coalesce(t.incoterm, s.incoterm, '') AS incoterm,
        coalesce(s.sample, %s) AS sample
    FROM shipment_stage t LEFT JOIN shipments_shipment s USING (carrier_id, tracking_number)
"""  # noqa: S608  # made of the names above only
_INSERT = f"""
INSERT INTO shipments_shipment AS known (carrier_id, tracking_number, {_listed("{}")}, updated, sample)
SELECT carrier_id, tracking_number, {_listed("{}")}, clock_timestamp(), sample FROM {{wanted}}
WHERE known_id IS NULL OR ({_listed("{}")}) IS DISTINCT FROM ({_listed("was_{}")})
ORDER BY carrier_id, tracking_number
ON CONFLICT (carrier_id, tracking_number) DO UPDATE
SET {_listed("{0} = excluded.{0}")}, updated = excluded.updated
WHERE ({_listed("known.{}")}) IS DISTINCT FROM ({_listed("excluded.{}")})
RETURNING carrier_id, tracking_number, xmax = 0 AS new
"""  # noqa: S608  # made of the names above only
_UPSERT = _INSERT.format(wanted=f"({_WANTED}) AS wanted")
# The same, with what was before, for subscribers of webhooks.
_UPSERT_TOLD = f"""
WITH wanted AS MATERIALIZED ({_WANTED}), written AS ({_INSERT.format(wanted="wanted")}, id, status, reason)
SELECT carrier_id, tracking_number, new, id, coalesce(was_status, ''), coalesce(was_reason, ''), written.status,
    written.reason
FROM written JOIN wanted USING (carrier_id, tracking_number)
"""  # noqa: S608  # made of the names above only
_IDS = """
SELECT t.carrier_id, t.tracking_number, s.id
FROM shipment_stage t JOIN shipments_shipment s USING (carrier_id, tracking_number)
"""

Row = tuple[str, Mapping[str, Any]]
"""(carrier code, values)"""


@dataclass(frozen=True, slots=True)
class Written:
    created: int
    updated: int
    unchanged: int


class Outcome(NamedTuple):
    """What became of one row."""

    shipment_id: int
    said: Literal["created", "updated", "unchanged"]


def ensure_carriers(names: Mapping[str, str], *, sample: bool) -> dict[str, int]:
    """Ids by code; carriers not known yet are made."""
    known = dict(Carrier.objects.filter(code__in=names).values_list("code", "pk"))
    missing = [Carrier(code=code, name=name, sample=sample) for code, name in names.items() if code not in known]
    if missing:
        Carrier.objects.bulk_create(missing, ignore_conflicts=True)
        known = dict(Carrier.objects.filter(code__in=names).values_list("code", "pk"))
    return known


def upsert(
    rows: Sequence[Row],
    names: Mapping[str, str],
    *,
    sample: bool = False,
    beside: Callable[[Written], None] = lambda written: None,
) -> Written:
    """Write rows with distinct keys in one transaction; `beside` runs inside it, also when there is nothing to write."""

    def write() -> Written:
        touched = [new for _carrier, _number, new in _written(rows, names, sample)[1]]
        created = sum(touched)
        written = Written(created, len(touched) - created, len(rows) - len(touched))
        beside(written)
        return written

    return again_after_deadlock(write)


def upsert_each(rows: Sequence[Row], names: Mapping[str, str]) -> list[Outcome]:
    """As `upsert`, with what became of every row, in their order."""

    def write() -> list[Outcome]:
        carriers, touched = _written(rows, names, sample=False)
        said = {(carrier, number): new for carrier, number, new in touched}
        with connection.cursor() as cursor:
            cursor.execute(_IDS)
            ids = {(carrier, number): pk for carrier, number, pk in cursor.fetchall()}
        words: dict[bool | None, Literal["created", "updated", "unchanged"]] = {
            True: "created", False: "updated", None: "unchanged"
        }  # fmt: skip
        keys = [(carriers[code], values["tracking_number"]) for code, values in rows]
        return [Outcome(ids[key], words[said.get(key)]) for key in keys]

    return again_after_deadlock(write) if rows else []


def _written(
    rows: Sequence[Row], names: Mapping[str, str], sample: bool
) -> tuple[dict[str, int], list[tuple[int, str, bool]]]:
    """(carrier ids by code, (carrier, number, whether new) of the rows that were not unchanged)."""
    if not rows:
        return {}, []
    carriers = ensure_carriers(names, sample=sample)
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        cursor.execute("DELETE FROM shipment_stage")
        with cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for code, values in rows:
                copy.write_row([carriers[code], *(_cell(values.get(name)) for name in _COLUMNS)])
        if imports_are_told():
            cursor.execute(_UPSERT_TOLD, [sample])
            return carriers, _told(cursor.fetchall())
        cursor.execute(_UPSERT, [sample])
        return carriers, cursor.fetchall()


def _told(rows: list[Any]) -> list[tuple[int, str, bool]]:
    """Tell subscribers what is new, and what has another status."""
    tell_created([pk for _carrier, _number, new, pk, *_rest in rows if new])
    tell_moved([Moved(pk, (was, why), (now, because)) for _c, _n, new, pk, was, why, now, because in rows if not new])
    return [(carrier, number, new) for carrier, number, new, *_rest in rows]


_encode = json.JSONEncoder(ensure_ascii=False).encode


def _cell(value: Any) -> Any:
    return Jsonb(value, dumps=_encode) if isinstance(value, dict | list) else value
