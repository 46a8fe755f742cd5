"""What set a rule off between two moments. Read only: the dry run and the real one ask the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from core.like import contains
from shipments.choices import OPEN_EXPECTATIONS, Action, DocumentState, Trigger
from shipments.models import Automation, Document, ExpectedDocument, Shipment

MOST_AT_ONCE = 1_000
"""Of one rule in one look; the rest follows in the next."""
READ_WITHIN = timedelta(hours=1)
"""A document that is read later than this after it came sets off no rule that looks into it."""
TRIED_DAYS, EXAMPLES = 30, 10
_READ = """EXISTS (SELECT 1 FROM shipments_documenttext words
WHERE words.document_id = shipments_document.id AND words.made >= %s AND words.made < %s)"""
_SAYS = """((shipments_document.created >= %s AND shipments_document.name ILIKE %s)
OR EXISTS (SELECT 1 FROM shipments_documenttext words WHERE words.document_id = shipments_document.id
    AND words.made >= %s AND words.made < %s AND words.search @@ document_query(%s)))"""


@dataclass(frozen=True, slots=True)
class Happening:
    """`key` names it for ever: the same happening never sets the same rule off twice."""

    key: str
    at: datetime
    shipment_id: int | None
    document_id: int | None = None
    label: str = field(default="", compare=False)


def happenings(rule: Automation, start: datetime, end: datetime, most: int = MOST_AT_ONCE) -> list[Happening]:
    """What fits the rule in `[start, end)`, oldest first, at most `most`."""
    return list(_SOURCES[Trigger(rule.trigger)](rule, start, end, most))


def _stored(rule: Automation, start: datetime, end: datetime, most: int) -> Iterator[Happening]:
    """A rule that looks into the text, or for the delivery, counts a document when it was read: a moment after it came."""
    earliest = max(rule.since, start - READ_WITHIN)
    rows: QuerySet[Any] = Document.objects.filter(created__gte=earliest, created__lt=end, state=DocumentState.STORED)
    rows = _narrowed(rows, rule, carrier="carrier", status="shipment__status")
    if rule.document_type:
        rows = rows.filter(type=rule.document_type)
    # ILIKE and the text search are no look-ups of the ORM; all values are bound.
    if rule.text:
        values = [start, contains(rule.text), start, end, rule.text]
        rows = rows.extra(where=[_SAYS], params=values)  # noqa: S610  # see above
    elif rule.action == Action.ATTACH:
        rows = rows.extra(where=[_READ], params=[start, end])  # noqa: S610  # see above
    else:
        rows = rows.filter(created__gte=start)
    if rule.action == Action.ATTACH:
        rows = rows.filter(shipment=None)
    for row in rows.order_by("created", "pk").values("pk", "created", "shipment_id", "name")[:most]:
        yield Happening(f"stored:{row['pk']}", row["created"], row["shipment_id"], row["pk"], row["name"])


def _status(rule: Automation, start: datetime, end: datetime, most: int) -> Iterator[Happening]:
    """By `updated`, which every change moves; `status_at` must lie behind the start too, or an old status would count
    again whenever something else of the delivery changes."""
    rows = Shipment.objects.filter(updated__gte=start, updated__lt=end, status_at__gte=rule.since)
    rows = _narrowed(rows, rule, carrier="carrier", status="status")
    columns = ("pk", "updated", "status", "status_at", "tracking_number")
    for row in rows.order_by("updated", "pk").values(*columns)[:most]:
        key = f"status:{row['pk']}:{row['status']}:{row['status_at']:%Y%m%dT%H%M%S}"
        yield Happening(key, row["updated"], row["pk"], label=row["tracking_number"])


def _overdue(rule: Automation, start: datetime, end: datetime, most: int) -> Iterator[Happening]:
    rows = ExpectedDocument.objects.filter(due__gte=start, due__lt=end, state__in=OPEN_EXPECTATIONS)
    rows = _narrowed(rows, rule, carrier="carrier", status="shipment__status")
    if rule.document_type:
        rows = rows.filter(document_type=rule.document_type)
    columns = ("shipment_id", "document_type", "due", "shipment__tracking_number")
    for row in rows.order_by("due", "pk").values(*columns)[:most]:
        key = f"overdue:{row['shipment_id']}:{row['document_type']}:{row['due']:%Y%m%dT%H%M%S}"
        yield Happening(key, row["due"], row["shipment_id"], label=row["shipment__tracking_number"])


_SOURCES = {Trigger.STORED: _stored, Trigger.STATUS: _status, Trigger.OVERDUE: _overdue}


def _narrowed(rows: QuerySet[Any], rule: Automation, *, carrier: str, status: str) -> QuerySet[Any]:
    if rule.carrier_id:
        rows = rows.filter(**{carrier: rule.carrier_id})
    return rows.filter(**{status: rule.status}) if rule.status else rows


@dataclass(frozen=True, slots=True)
class TriedOut:
    """What a rule would have done: at most 1,000 are looked for, and that is said."""

    days: int
    count: int
    more: bool
    examples: list[Happening]


def tried_out(rule: Automation, now: datetime | None = None) -> TriedOut:
    """What would have set the rule off in the last 30 days. Nothing is written and nobody is told."""
    end = now or timezone.now()
    start = end - timedelta(days=TRIED_DAYS)
    kept, rule.since = rule.since, start
    try:
        found = happenings(rule, start, end, MOST_AT_ONCE + 1)
    finally:
        rule.since = kept
    return TriedOut(TRIED_DAYS, min(len(found), MOST_AT_ONCE), len(found) > MOST_AT_ONCE, found[-EXAMPLES:][::-1])
