"""What a rule would do, tried out on real deliveries before it is saved: the newest ten thousand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.utils import timezone

from shipments.completeness.expect import Delivery, Expected, Facts, Patience, expected_of
from shipments.completeness.refresh import deliveries_of, facts_of
from shipments.completeness.rules import Rule, Rulebook, current_rules

LOOKED_AT = 10_000
EXAMPLES = 8
NEWEST = 2**62
"""The candidate would be made later than every rule there is."""
# Fixed sub-query first: the newest by index, then nothing but these.
_NEWEST = "SELECT id FROM shipments_shipment ORDER BY created DESC, id DESC LIMIT %s"


@dataclass(frozen=True, slots=True)
class Counted:
    """Of the deliveries looked at: how many expect the document, have it, lack it; `late`: lack it past its time."""

    expected: int = 0
    there: int = 0
    missing: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """A delivery whose judgement changes; None where nothing is, or was, expected."""

    delivery_id: int
    before: Expected | None
    after: Expected | None


@dataclass(slots=True)
class Preview:
    looked_at: int = 0
    today: Counted = field(default_factory=Counted)
    then: Counted = field(default_factory=Counted)
    newly_missing: int = 0
    no_longer_missing: int = 0
    changed: int = 0
    examples: list[Example] = field(default_factory=list)


def preview(candidate: Rule, *, instead_of: int | None = None, now: datetime | None = None) -> Preview:
    """Judge the newest deliveries by today's rules and by those with `candidate`, as if both had always held.

    Args:
        instead_of: the id of the stored rule that the candidate replaces.
    """
    now = now or timezone.now()
    today = [rule for rule in current_rules() if rule.holds(now.date())]
    then = [rule for rule in today if rule.id != instead_of] + [candidate._replace(id=NEWEST)]
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [LOOKED_AT])
        ids = [pk for (pk,) in cursor.fetchall()]
    books = [
        Rulebook((rule for rule in rules if rule.document_type == candidate.document_type), timeless=True)
        for rules in (today, then)
    ]
    facts = facts_of(ids, tries=False)
    deliveries = deliveries_of(ids, moved=any(book.asks_for_pick_up for book in books))
    deliveries.sort(key=lambda delivery: delivery.created, reverse=True)
    return _compared(deliveries, books, facts, now)


def _compared(
    deliveries: Sequence[Delivery], books: Sequence[Rulebook], facts: Mapping[int, Facts], now: datetime
) -> Preview:
    found = Preview(looked_at=len(deliveries))
    all_before: list[Expected] = []
    all_after: list[Expected] = []
    for delivery in deliveries:
        before, after = (_one(delivery, book, facts.get(delivery.id, Facts()), now) for book in books)
        all_before += [before] if before else []
        all_after += [after] if after else []
        _note_difference(found, delivery, before, after)
    found.today, found.then = _counted(all_before, now), _counted(all_after, now)
    return found


def _one(delivery: Delivery, book: Rulebook, facts: Facts, now: datetime) -> Expected | None:
    rows = expected_of(delivery, book, facts, Patience(), now)
    return rows[0] if rows else None


def _note_difference(found: Preview, delivery: Delivery, before: Expected | None, after: Expected | None) -> None:
    lacked, lacks = _lacks(before), _lacks(after)
    found.newly_missing += lacks and not lacked
    found.no_longer_missing += lacked and not lacks
    if (before and before.state) != (after and after.state):
        found.changed += 1
        if len(found.examples) < EXAMPLES:
            found.examples.append(Example(delivery.id, before, after))


def _lacks(row: Expected | None) -> bool:
    return row is not None and not row.there


def _counted(rows: Sequence[Expected], now: datetime) -> Counted:
    there = sum(row.there for row in rows)
    late = sum(not row.there and row.due <= now for row in rows)
    return Counted(len(rows), there, len(rows) - there, late)
