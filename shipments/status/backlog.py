"""Codes that no mapping knows, and how much waits on each: `UnmappedCode`, kept up as events come in.

Counts of codes that few events have are exact at once. Those of a code in thousands of events are counted by the clock,
so that a busy carrier's next event costs no count of all before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection, transaction

from shipments.functions.classify_messages.classifier import Decision, shared
from shipments.models import UnmappedCode

COUNTED_AT_ONCE = 2_000

_SEEN = """
SELECT DISTINCT s.carrier_id, e.code FROM shipments_trackingevent e JOIN shipments_shipment s ON s.id = e.shipment_id
WHERE e.unmapped AND e.shipment_id = ANY(%s)
"""
# Sorted, so that two who count the same codes cannot deadlock.
_COUNT = """
INSERT INTO shipments_unmappedcode AS known (carrier_id, code, text, events, shipments, first_seen, last_seen)
SELECT s.carrier_id, e.code, (array_agg(e.text ORDER BY e.at DESC, e.id DESC))[1], count(*),
    count(DISTINCT s.id) FILTER (WHERE s.unmapped AND s.last_event = e.at), min(e.received), max(e.received)
FROM shipments_trackingevent e JOIN shipments_shipment s ON s.id = e.shipment_id
WHERE e.unmapped {only}
GROUP BY s.carrier_id, e.code ORDER BY s.carrier_id, e.code
ON CONFLICT (carrier_id, code) DO UPDATE SET text = excluded.text, events = excluded.events,
    shipments = excluded.shipments, first_seen = excluded.first_seen, last_seen = excluded.last_seen
WHERE (known.text, known.events, known.shipments, known.last_seen)
    IS DISTINCT FROM (excluded.text, excluded.events, excluded.shipments, excluded.last_seen)
"""
_GONE = """
DELETE FROM shipments_unmappedcode u WHERE {only} NOT EXISTS (
    SELECT 1 FROM shipments_trackingevent e JOIN shipments_shipment s ON s.id = e.shipment_id
    WHERE e.unmapped AND e.code = u.code AND s.carrier_id = u.carrier_id)
"""


def note(shipment_ids: Sequence[int]) -> None:
    """These deliveries have events that are not mapped: their codes are in the backlog afterwards."""
    if not shipment_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, [list(shipment_ids)])
        seen = {(carrier, code) for carrier, code in cursor.fetchall()}
    big = UnmappedCode.objects.filter(code__in={code for _carrier, code in seen}, events__gt=COUNTED_AT_ONCE)
    count(seen - set(big.values_list("carrier_id", "code")))


@transaction.atomic
def count(pairs: Iterable[tuple[int, str]]) -> None:
    """Count these (carrier, code) anew; those on which nothing waits any more leave the backlog."""
    wanted = sorted(set(pairs))
    if not wanted:
        return
    carriers, codes = [carrier for carrier, _code in wanted], [code for _carrier, code in wanted]
    only = "AND e.code = ANY(%s) AND (s.carrier_id, e.code) IN (SELECT * FROM unnest(%s::bigint[], %s::text[]))"
    gone = "(u.carrier_id, u.code) IN (SELECT * FROM unnest(%s::bigint[], %s::text[])) AND"
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(only=only), [codes, carriers, codes])
        cursor.execute(_GONE.format(only=gone), [carriers, codes])


@transaction.atomic
def count_all() -> int:
    """Count the whole backlog anew; how many codes are in it."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(only=""))
        cursor.execute(_GONE.format(only=""))
    return UnmappedCode.objects.count()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line of the backlog, with what the classifier takes its latest text to mean; None when it does not know."""

    row: UnmappedCode
    suggestion: Decision | None


def with_suggestions(rows: Iterable[UnmappedCode]) -> list[Waiting]:
    """`rows` must have their carriers selected."""
    return [Waiting(row, suggest(row.carrier.name, row.code, row.text)) for row in rows]


@lru_cache(maxsize=2_000)
def suggest(carrier: str, code: str, text: str) -> Decision | None:
    """What the classifier of messages would decide, if anything."""
    decision = shared().decide(carrier, code, text)
    return decision if code and decision.status != "unknown" else None
