"""What the page of one delivery, and a list of deliveries, say about completeness: judged at this moment, not stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from shipments.choices import OPEN_EXPECTATIONS, DocumentType, ExpectedState, Obtain
from shipments.completeness.board import words_of
from shipments.completeness.expect import RANKS, Expected
from shipments.completeness.kinds import work_of
from shipments.completeness.refresh import judge
from shipments.completeness.rules import Rulebook, current_rules
from shipments.models import DocumentWaiver, ExpectedDocument

_TALLIED = """
SELECT s.id, s.carrier_id, upper(coalesce(s.sender ->> 'country', '')), s.destination_country, s.incoterm, s.status,
    s.created, ARRAY(SELECT d.type FROM shipments_document d WHERE d.shipment_id = s.id AND d.state = 'stored'),
    ARRAY(SELECT e.document_type || ':' || e.state FROM shipments_expecteddocument e WHERE e.shipment_id = s.id)
FROM shipments_shipment s WHERE s.id = ANY(%s)
"""


class Tally(NamedTuple):
    """Of so many expected documents so many are there or waived; the tone says how the rest stands."""

    there: int
    expected: int
    tone: str


def tallies_of(shipment_ids: Sequence[int]) -> dict[int, Tally]:
    """Of these deliveries, those of which something is expected. Two queries: a list is read all day.

    What is expected follows from the rules; how the rest stands is what was stored last, seconds ago at most.
    """
    if not shipment_ids:
        return {}
    book = Rulebook(current_rules())
    with connection.cursor() as cursor:
        cursor.execute(_TALLIED, [list(shipment_ids)])
        rows = cursor.fetchall()
    found: dict[int, Tally] = {}
    for pk, carrier, origin, destination, incoterm, status, created, documents, states in rows:
        rank = RANKS.get(status)
        rules = book.of(carrier, origin, destination, incoterm, created.date()) if rank is not None else ()
        wanted = {rule.document_type for rule in rules if (rank or 0) >= RANKS.get(rule.from_status, 0)}
        if wanted:
            known = dict(entry.split(":") for entry in states)
            missing = {name: known.get(name, "waiting") for name in wanted.difference(documents)}
            found[pk] = _tally(len(wanted), [state for state in missing.values() if state in OPEN_EXPECTATIONS])
    return found


def _tally(expected: int, missing: Sequence[str]) -> Tally:
    if not missing:
        tone = "green"
    elif ExpectedState.FAILED in missing:
        tone = "red"
    else:
        tone = "yellow" if ExpectedState.OVERDUE in missing else "secondary"
    return Tally(expected - len(missing), expected, tone)


def panel_of(shipment_id: int) -> dict[str, Any]:
    """Each expected document of one delivery with its words and buttons."""
    judged = judge([shipment_id], timezone.now())
    rows = judged[0][1] if judged else []
    stored = dict(ExpectedDocument.objects.filter(shipment=shipment_id).values_list("document_type", "pk"))
    waivers = {row.document_type: row for row in DocumentWaiver.objects.filter(shipment=shipment_id)}
    return {
        "lines": [_line(row, stored.get(row.document_type), waivers.get(row.document_type)) for row in rows],
        "tally": _tally(len(rows), [row.state for row in rows if row.state in OPEN_EXPECTATIONS]),
        "running": any(row.state == ExpectedState.RUNNING for row in rows),
    }


def _line(row: Expected, stored: int | None, waiver: DocumentWaiver | None) -> dict[str, Any]:
    open_row = row.state in (ExpectedState.WAITING, ExpectedState.OVERDUE, ExpectedState.FAILED)
    work = work_of(row.obtain, row.document_type) if open_row else None
    state = ExpectedState(row.state)
    in_time = row.there and not row.kept
    return {
        "row": row, "label": DocumentType(row.document_type).label, "how": Obtain(row.obtain).label,
        "state": state.label, "in_time": in_time, "stored": stored if open_row else None, "waiver": waiver,
        "capability": work[0] if work else "", "context_json": json.dumps(work[1]) if work and work[1] else "",
        "fetched": row.obtain == Obtain.FETCH,
        "next": row.next_try if row.next_try and row.next_try > timezone.now() else None,
        **words_of(row),
    }  # fmt: skip
