"""Going over the history after a mapping changed: a preview of the differences, and the re-run in chunks.

Two ways to find the events of a code. *Waiting*: no mapping knew it, so its events are in the small index of events that
are not mapped. *Whole*: events may have a meaning already, so all deliveries are looked through in the order of their ids.
A chunk may be done twice without harm: what has the right meaning is not written again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from shipments.models import Shipment, UnmappedCode
from shipments.status import ageing
from shipments.status.changes import Change
from shipments.status.derive import Happening, Known, derive_moves, happenings_of, settled
from shipments.status.meaning import Codebook, spelling
from shipments.status.moved import Moved

LOOKED_AT = 5_000
"""Deliveries for which a preview says exactly what would become of them."""
COUNTED = 100_000
EVENTS_AT_ONCE = 20_000
IDS_AT_ONCE = 20_000
PREVIEW_IDS = 5_000
PREVIEW_S = 1.5


class Found(NamedTuple):
    """An event with the code in question, and whose it is."""

    id: int
    shipment_id: int
    carrier_id: int
    code: str
    at: datetime
    received: datetime
    status: str
    reason: str
    unmapped: bool


_EVENT = """
SELECT e.id, e.shipment_id, s.carrier_id, e.code, e.at, e.received, e.status, e.reason, e.unmapped
FROM shipments_trackingevent e JOIN shipments_shipment s ON s.id = e.shipment_id
"""
_OWNER = "(%(carrier)s::bigint IS NULL OR s.carrier_id = %(carrier)s)"
_WAITING = f"e.unmapped AND e.code = ANY(%(spellings)s) AND {_OWNER}"
_NEXT_WAITING = f"{_EVENT} WHERE {_WAITING} AND e.id > %(after)s ORDER BY e.id LIMIT %(limit)s"
_IN_RANGE = f"{_EVENT} WHERE s.id > %(after)s AND s.id <= %(until)s AND upper(e.code) = %(code)s AND {_OWNER}"
_OF_SHIPMENTS = f"{_EVENT} WHERE e.shipment_id = ANY(%(ids)s) AND upper(e.code) = %(code)s"
# Both look at no more than so many events, however many there are.
_SOME = f"""
SELECT e.shipment_id FROM shipments_trackingevent e JOIN shipments_shipment s ON s.id = e.shipment_id
WHERE {_WAITING} LIMIT %(most)s
"""  # noqa: S608  # fixed texts, bound values
_COUNT = f"SELECT count(*), count(DISTINCT shipment_id) FROM ({_SOME}) AS part"  # noqa: S608
_NEWEST = f"SELECT DISTINCT shipment_id FROM ({_SOME}) AS part ORDER BY 1 DESC LIMIT %(limit)s"  # noqa: S608
_WRITE = """
UPDATE shipments_trackingevent AS e SET status = n.status, reason = n.reason, unmapped = n.unmapped
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::boolean[]) AS n(id, status, reason, unmapped)
WHERE e.id = n.id AND (e.status, e.reason, e.unmapped) IS DISTINCT FROM (n.status, n.reason, n.unmapped)
"""


@dataclass(frozen=True, slots=True)
class Line:
    """So many deliveries go from one status to another; the same twice: only the reason, or the mark, changes."""

    before: str
    after: str
    count: int

    @property
    def same(self) -> bool:
        return self.before == self.after


@dataclass(slots=True)
class Differences:
    """What a change does to deliveries.

    `events` and `shipments` have the code (`more`: at least so many); `looked_at` of them were worked out exactly.
    """

    events: int = 0
    shipments: int = 0
    more: bool = False
    looked_at: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def changed(self) -> int:
        return self.moves.total()

    @property
    def partial(self) -> bool:
        return self.more or self.looked_at < self.shipments

    @property
    def lines(self) -> list[Line]:
        """The most frequent first."""
        return [Line(before, after, count) for (before, after), count in self.moves.most_common()]

    def add(self, moves: Iterable[Moved]) -> None:
        self.moves.update((move.before[0], move.after[0]) for move in moves)


def preview(change: Change) -> Differences:
    """What `change` and the re-run after it would do, without writing anything.

    Exact for up to 5,000 deliveries. No more than 100,000 events of the backlog are looked at; when events may have a
    meaning already, deliveries are looked through from the newest back for 1.5 s at most.
    """
    found, ids = _to_look_at(change)
    book, now, rules = change.book(), timezone.now(), ageing.current_rules()
    events = _fetch(_OF_SHIPMENTS, {"ids": ids, "code": spelling(change.code)})
    happened = happenings_of(ids)
    for event in events:
        if spelling(event.code) == spelling(change.code):
            _replace(happened[event.shipment_id], event, book)
    for old in _known(ids):
        new = settled(old, happened.get(old.id, []), rules, now)
        if new != old:
            found.add([Moved(old.id, (old.status, old.reason), (new.status, new.reason))])
    found.looked_at = len(ids)
    return found


def _to_look_at(change: Change) -> tuple[Differences, list[int]]:
    if change.touches_mapped():
        return _newest_of_all(change)
    spellings = spellings_of(change.carrier_id, change.code)
    values: dict[str, Any] = {"carrier": change.carrier_id, "spellings": spellings, "most": COUNTED + 1}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        events, shipments = cursor.fetchone()
        cursor.execute(_NEWEST, values | {"limit": LOOKED_AT})
        ids = [pk for (pk,) in cursor.fetchall()]
    return Differences(min(events, COUNTED), shipments, more=events > COUNTED), ids


def _newest_of_all(change: Change) -> tuple[Differences, list[int]]:
    """From the newest delivery back, until there is enough to show or it takes too long."""
    found, ids = Differences(), set[int]()
    upper, until = newest_id(), time.monotonic() + PREVIEW_S
    while upper > 0 and len(ids) < LOOKED_AT and time.monotonic() < until:
        events = in_range(change.carrier_id, change.code, upper - PREVIEW_IDS, upper)
        found.events += len(events)
        ids.update(event.shipment_id for event in events)
        upper -= PREVIEW_IDS
    found.more = upper > 0
    found.shipments = len(ids)
    return found, sorted(ids, reverse=True)[:LOOKED_AT]


def _replace(happened: list[Happening], event: Found, book: Codebook) -> None:
    meaning = book.look_up(event.carrier_id, event.code, event.at.date())
    old = Happening(event.at, event.received, event.status, event.reason, event.unmapped)
    happened.remove(old)
    happened.append(Happening(event.at, event.received, meaning.status, meaning.reason, not meaning.mapped))


def _known(ids: Sequence[int]) -> list[Known]:
    return [Known(*row) for row in Shipment.objects.filter(pk__in=ids).order_by().values_list(*Known._fields)]


def newest_id() -> int:
    return Shipment.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def spellings_of(carrier_id: int | None, code: str) -> list[str]:
    """How a code is written in the events that are not mapped; the backlog knows every spelling."""
    rows = UnmappedCode.objects.filter(code__iexact=code.strip())
    rows = rows.filter(carrier=carrier_id) if carrier_id else rows
    return sorted({code, code.strip(), spelling(code), *rows.values_list("code", flat=True)})


def in_range(carrier_id: int | None, code: str, after: int, until: int) -> list[Found]:
    """The events with this code of the deliveries with ids in (after, until]."""
    return _fetch(_IN_RANGE, {"carrier": carrier_id, "code": spelling(code), "after": after, "until": until})


def next_waiting(carrier_id: int | None, code: str, after: int) -> list[Found]:
    """The next 20,000 events that are not mapped, in the order of their ids."""
    values = {
        "carrier": carrier_id, "spellings": spellings_of(carrier_id, code), "after": after, "limit": EVENTS_AT_ONCE,
    }  # fmt: skip
    return _fetch(_NEXT_WAITING, values)


def _fetch(sql: str, values: dict[str, Any]) -> list[Found]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [Found(*row) for row in cursor.fetchall()]


@transaction.atomic
def give_meaning(events: Sequence[Found]) -> tuple[int, list[Moved]]:
    """Write what these events' codes mean now and derive their deliveries: events changed, deliveries changed."""
    book, changed = Codebook(), []
    for event in events:
        meaning = book.look_up(event.carrier_id, event.code, event.at.date())
        after = (meaning.status, meaning.reason, not meaning.mapped)
        if after != (event.status, event.reason, event.unmapped):
            changed.append((event.id, *after))
    if not changed:
        return 0, []
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [list(column) for column in zip(*sorted(changed), strict=True)])
    touched = {row[0] for row in changed}
    moves = derive_moves([event.shipment_id for event in events if event.id in touched])
    return len(changed), moves
