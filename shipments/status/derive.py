"""The status of a delivery from what happened to it: one pure function, and its application to many rows at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from shipments import webhooks
from shipments.choices import RETURNED, Status
from shipments.status import ageing, backlog
from shipments.status.moved import Moved

AFTER_DELIVERY = timedelta(hours=72)
"""For so long a late scan or a careless one ("in transit") does not undo a delivery."""
AHEAD = timedelta(days=1)
"""An event dated further ahead of the moment we received it is a wrong clock or a plan, not something that happened."""
DELIVERED_IN_ERROR = "delivered_in_error"
AT_ONCE = 10_000

# Of events at the same moment (many carriers only send a date) the one further along the way counts as the later.
_RANK = {
    "": 0, Status.UNKNOWN: 0, Status.PENDING: 1, Status.PICKED_UP: 2, Status.IN_TRANSIT: 3, Status.DELIVERY_DELAYED: 4,
    Status.ON_HOLD: 5, Status.OUT_FOR_DELIVERY: 6, Status.READY_FOR_PICKUP: 7, Status.DELIVERY_FAILED: 8,
    Status.CANCELLED: 9, Status.DELIVERED: 10, Status.RETURN_TO_SENDER: 11,
}  # fmt: skip
_RANK = {str(status): rank for status, rank in _RANK.items()}
_CORRECTING = frozenset({"delivered", "delivery_failed", "return_to_sender"})


class Happening(NamedTuple):
    """A tracking event, or a message that was applied (`message`; its time is when it was received)."""

    at: datetime
    received: datetime
    status: str
    reason: str = ""
    unmapped: bool = False
    message: bool = False


class Derived(NamedTuple):
    """What the happenings say. An empty status says nothing: what is known otherwise stays."""

    status: str = ""
    reason: str = ""
    status_at: datetime | None = None
    last_event: datetime | None = None
    unmapped: bool = False


def is_ahead(at: datetime, received: datetime) -> bool:
    """Whether an event claims to have happened more than a day after we were told of it."""
    return at - received > AHEAD


def status_of(events: Iterable[Happening]) -> Derived:
    """The status that follows from events and applied messages, whatever order and however often they come in.

    Order: by the time of the event; at the same moment what is further along the way counts as later, and a message
    counts for nothing beside an event. When we received an event plays no part, so a late webhook changes nothing.

    1. The later event wins, and a status lasts from the first event that says it. A repetition without a reason keeps
       the reason.
    2. Pending ("label created") never lowers a status, and `unknown` says nothing.
    3. Delivered stays against later scans for 72 hours, except for a correction: delivery failed, returned to sender,
       or the reason "delivered in error".
    4. From "return to sender" on, the way leads back: "delivered" then means delivered to the sender (the status stays,
       the reason becomes `returned`), other scans change nothing. A pick-up after that begins a new journey.
    5. Cancelled is final, except that the parcel is picked up afterwards.
    6. An event with a code that no mapping knows changes no status; when it is the latest, the delivery is marked as
       not mapped.
    7. An event dated more than a day after we received it is left out of everything.
    """
    status = reason = ""
    since: datetime | None = None
    last: datetime | None = None
    unmapped = False
    happened = sorted((event for event in events if not is_ahead(event.at, event.received)), key=_order)
    messages = any(event.message for event in happened)
    told = {event.at for event in happened if event.status and not event.message} if messages else ()
    for event in happened:
        last, unmapped = event.at, event.unmapped
        if event.unmapped or not event.status or (event.message and event.at in told):
            continue
        said = _next(status, reason, since, event)
        if said is None:
            continue
        if said[0] != status or (said[1] == RETURNED != reason):
            since = event.at
        status, reason = said
    return Derived(status, reason, since, last, unmapped)


def _order(event: Happening) -> tuple[Any, ...]:
    mapped = not event.unmapped
    return (event.at, not event.message, mapped, _RANK[event.status], event.reason == DELIVERED_IN_ERROR, event.reason)


def _next(status: str, reason: str, since: datetime | None, event: Happening) -> tuple[str, str] | None:
    """Status and reason after `event`; None when it changes nothing. The numbers are those of `status_of`."""
    new = event.status
    if new == "unknown" or (new == "pending" and status not in ("", "pending")):  # 2
        return None
    if status == "delivered" and new not in _CORRECTING and event.reason != DELIVERED_IN_ERROR:  # 3
        if since is None or event.at - since <= AFTER_DELIVERY:
            return None
    elif status == "return_to_sender":  # 4
        return _on_the_way_back(reason, event)
    elif status == "cancelled" and new not in ("cancelled", "picked_up"):  # 5
        return None
    return new, event.reason or (reason if new == status else "")  # 1


def _on_the_way_back(reason: str, event: Happening) -> tuple[str, str] | None:
    if reason == RETURNED:
        return ("picked_up", event.reason) if event.status == "picked_up" else None
    if event.status == "delivered":
        return "return_to_sender", RETURNED
    return ("return_to_sender", event.reason or reason) if event.status == "return_to_sender" else None


class Known(NamedTuple):
    """What is stored of a delivery now."""

    id: int
    carrier_id: int
    status: str
    reason: str
    unmapped: bool
    status_at: datetime | None
    last_event: datetime | None
    delivered: datetime | None


# In the order of the ids, so that two who derive the same deliveries wait for each other instead of deadlocking. The
# events are read after the lock: whoever comes second sees what the first one stored.
_LOCK = """
SELECT id, carrier_id, status, reason, unmapped, status_at, last_event, delivered
FROM shipments_shipment WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
# Moments in microseconds since 1970: reading 80,000 events so takes a third of the time that time stamps take.
_READ = """
SELECT shipment_id, (extract(epoch FROM at) * 1000000)::bigint, (extract(epoch FROM received) * 1000000)::bigint,
    status, reason, unmapped, false
FROM shipments_trackingevent WHERE shipment_id = ANY(%(ids)s)
UNION ALL
SELECT shipment_id, (extract(epoch FROM received) * 1000000)::bigint,
    (extract(epoch FROM coalesce(decided, received)) * 1000000)::bigint, status, reason, false, true
FROM shipments_carriermessage WHERE shipment_id = ANY(%(ids)s) AND applied AND status NOT IN ('', 'unknown')
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRITE = """
UPDATE shipments_shipment AS s SET status = n.status, reason = n.reason, unmapped = n.unmapped, status_at = n.status_at,
    last_event = n.last_event, delivered = n.delivered, updated = clock_timestamp()
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::boolean[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
    AS n(id, status, reason, unmapped, status_at, last_event, delivered)
WHERE s.id = n.id AND (s.status, s.reason, s.unmapped, s.status_at, s.last_event, s.delivered)
    IS DISTINCT FROM (n.status, n.reason, n.unmapped, n.status_at, n.last_event, n.delivered)
"""


def derive(shipment_ids: Sequence[int]) -> int:
    """Bring these deliveries in line with their events; how many changed.

    Call it in the transaction that stored the events. A delivery without any keeps what its import said; one that needs
    no change is not touched, so `updated` stays too.
    """
    return len(derive_moves(shipment_ids))


def derive_moves(shipment_ids: Sequence[int]) -> list[Moved]:
    """As `derive`, with what changed."""
    ids = sorted(set(shipment_ids))
    moves: list[Moved] = []
    for start in range(0, len(ids), AT_ONCE):
        moves += _derive_some(ids[start : start + AT_ONCE])
    return moves


@transaction.atomic
def _derive_some(ids: list[int]) -> list[Moved]:
    rules, now = ageing.current_rules(), timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [ids])
        known = [Known(*row) for row in cursor.fetchall()]
        happened = happenings_of(ids)
        changed: list[tuple[Known, Known]] = []
        for old in known:
            events = happened.get(old.id, [])
            new = settled(old, events, rules, now)
            if new != old:
                changed.append((old, new))
        if changed:
            columns = list(zip(*(new for _old, new in changed), strict=True))
            cursor.execute(_WRITE, [list(column) for place, column in enumerate(columns) if place != 1])
    backlog.note([pk for pk, events in happened.items() if any(event.unmapped for event in events)])
    moves = [Moved(old.id, (old.status, old.reason), (new.status, new.reason)) for old, new in changed]
    webhooks.tell_moved(moves)
    return moves


def happenings_of(ids: Sequence[int]) -> dict[int, list[Happening]]:
    """Events and applied messages by delivery, in one query."""
    found: dict[int, list[Happening]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"ids": list(ids)})
        for pk, at, received, *rest in cursor.fetchall():
            happening = Happening(_EPOCH + timedelta(microseconds=at), _EPOCH + timedelta(microseconds=received), *rest)
            found.setdefault(pk, []).append(happening)
    return found


def settled(old: Known, events: Sequence[Happening], rules: ageing.Rules, now: datetime) -> Known:
    """The row as its events, and then silence, want it; without events it stays as it is.

    A time of delivery that a file stated stays; one that came of an event follows the events.
    """
    derived = status_of(events)
    new = old._replace(unmapped=derived.unmapped, last_event=derived.last_event)
    if derived.status:
        delivered = None if any(event.at == old.delivered for event in events) else old.delivered
        if derived.status == "delivered":
            delivered = delivered or derived.status_at
        new = new._replace(
            status=derived.status, reason=derived.reason, status_at=derived.status_at, delivered=delivered
        )
    aged = rules.of(new.carrier_id, new.status, new.last_event, now)
    return new._replace(status=aged[0], reason=aged[1]) if aged else new
