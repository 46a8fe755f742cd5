"""What is expected of a delivery and how it stands: one pure function of facts, so that their order cannot matter.

A rule expects its document once the delivery has come as far as `from_status` (`RANKS`; a cancelled one needs nothing),
within so many hours of the moment the rule names. Then, the first that holds:

1. A stored document of that type is there: done. In time there is nothing to tell; later than due it is *came late*.
2. A person waived it: *waived*.
3. A batch is to get it right now: *being got*, our turn.
4. The latest try failed, or brought nothing usable: *try failed*. A file that is "not found" at the carrier is not there
   yet, which is no failure: it stays *not due yet* or *overdue*.
5. *Overdue* from the moment it is due, before that *not due yet*.

Whose turn: what a person must be asked for, a person's. What we make: ours, after a failed try a person's. What is
fetched: the carrier's while it is not due or not there; ours when it is overdue and nobody tried, and after a failure that
may pass by itself; a person's when a failure cannot (`NEED_A_PERSON`) or after the last try. The wait before the next try
doubles from the first to the longest; the first try may be made as soon as the document is expected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from shipments.choices import DueAfter, ExpectedState, Obtain, Status, Turn
from shipments.completeness.kinds import can_be_got
from shipments.completeness.rules import Rule, Rulebook
from shipments.models.completeness import NOT_KNOWN_YET

RANKS: dict[str, int] = {
    Status.PENDING: 0, Status.UNKNOWN: 0, Status.PICKED_UP: 1, Status.IN_TRANSIT: 2, Status.DELIVERY_DELAYED: 2,
    Status.ON_HOLD: 2, Status.OUT_FOR_DELIVERY: 3, Status.READY_FOR_PICKUP: 3, Status.DELIVERY_FAILED: 3,
    Status.RETURN_TO_SENDER: 3, Status.DELIVERED: 4,
}  # fmt: skip
DELIVERED = RANKS[Status.DELIVERED]
MOVED = [status.value for status in Status if RANKS.get(status, 0)]
"""Statuses that say that a carrier has the parcel, or had it."""
NOT_THERE_YET = frozenset({"NotFound", "StillGrowing", "Changed"})
UNUSABLE = "Unusable"
"""Of a try that succeeded and left no usable document: what came is in quarantine, or was taken away."""
NEED_A_PERSON = frozenset(
    {"NoConnection", "ConnectionPaused", "AuthenticationFailed", "BadConnection", "CertificateInvalid", "HostKeyMismatch",
     "HostKeyUnknown", "ProtocolMismatch", "BadPattern", "PermissionDenied", "TooManyFiles", "TooManyFolders", "TooLarge"}
)  # fmt: skip
"""Failures that do not pass by themselves."""


class Delivery(NamedTuple):
    """A row of deliveries; `moved` is the time of the first event that says the carrier has it."""

    id: int
    carrier_id: int
    origin: str
    destination: str
    incoterm: str
    status: str
    status_at: datetime | None
    created: datetime
    promised: datetime | None
    delivered: datetime | None
    sample: bool
    moved: datetime | None = None

    @property
    def rank(self) -> int | None:
        return RANKS.get(self.status)

    @property
    def delivered_at(self) -> datetime | None:
        if self.rank != DELIVERED:
            return None
        return self.delivered or self.status_at or self.promised or self.created

    @property
    def picked_up_at(self) -> datetime | None:
        if self.moved is not None:
            return self.moved
        return (self.status_at or self.delivered or self.created) if self.rank else None


_COUNTED_FROM: dict[str, attrgetter[Any]] = {
    DueAfter.CREATED.value: attrgetter("created"),
    DueAfter.PICKED_UP.value: attrgetter("picked_up_at"),
    DueAfter.DELIVERED.value: attrgetter("delivered_at"),
    DueAfter.PROMISED.value: attrgetter("promised"),
}


class Try(NamedTuple):
    """A batch item for a document: pending, succeeded or failed. `at`: when it was over."""

    document_type: str
    state: str
    item_id: int
    batch_id: str
    at: datetime | None = None
    error_type: str = ""
    error_message: str = ""


class Facts(NamedTuple):
    """What is known beside the delivery itself: when a usable document was first kept, by type; and so on."""

    documents: Mapping[str, datetime] = {}
    waived: frozenset[str] = frozenset()
    tries: Sequence[Try] = ()


class Patience(NamedTuple):
    """How fetching is tried again."""

    first: timedelta = timedelta(hours=1)
    longest: timedelta = timedelta(hours=24)
    most_tries: int = 7

    def after(self, tries: int) -> timedelta:
        """The wait after so many tries."""
        return min(self.longest, self.first * (1 << min(max(tries, 1) - 1, 20)))


class Expected(NamedTuple):
    """How one expected document stands; its fields are those of `ExpectedDocument`."""

    document_type: str
    rule_id: int
    obtain: str
    state: str
    turn: str
    since: datetime
    due: datetime
    completed: datetime | None = None
    tries: int = 0
    last_item: int | None = None
    last_batch_id: str | None = None
    last_try: datetime | None = None
    error_type: str = ""
    error_message: str = ""
    next_try: datetime | None = None

    @property
    def there(self) -> bool:
        return self.state == ExpectedState.COMPLETE

    @property
    def kept(self) -> bool:
        """Whether there is a row for it: one that came in time has none."""
        return self.completed is None or self.completed > self.due


def expected_of(delivery: Delivery, book: Rulebook, facts: Facts, patience: Patience, now: datetime) -> list[Expected]:
    """Everything that is expected of a delivery, also what came in time, by type of document."""
    rank = delivery.rank
    if rank is None:
        return []
    rules = book.of(
        delivery.carrier_id, delivery.origin, delivery.destination, delivery.incoterm, delivery.created.date()
    )
    return [
        _standing(delivery, rule, facts, patience, now) for rule in rules if rank >= (RANKS.get(rule.from_status, 0))
    ]


def _standing(delivery: Delivery, rule: Rule, facts: Facts, patience: Patience, now: datetime) -> Expected:
    due = _due(delivery, rule)
    came = facts.documents.get(rule.document_type)
    plain = Expected(rule.document_type, rule.id, rule.obtain, ExpectedState.OVERDUE, "", _since(delivery, rule), due)
    if came is not None:
        return plain._replace(state=ExpectedState.COMPLETE, completed=came)
    if rule.document_type in facts.waived:
        return plain._replace(state=ExpectedState.WAIVED)
    waiting = plain._replace(state=ExpectedState.OVERDUE if due <= now else ExpectedState.WAITING)
    tries = [entry for entry in facts.tries if entry.document_type == rule.document_type]
    return _tried(waiting, tries, patience) if tries else _untried(waiting)


def _since(delivery: Delivery, rule: Rule) -> datetime:
    """When the delivery came so far that the rule speaks."""
    rank = RANKS.get(rule.from_status, 0)
    reached = delivery.delivered_at if rank == DELIVERED else delivery.picked_up_at if rank else None
    return reached or delivery.created


def _due(delivery: Delivery, rule: Rule) -> datetime:
    counted_from: datetime | None = _COUNTED_FROM[rule.due_after](delivery)
    return counted_from + timedelta(hours=rule.due_hours) if counted_from else NOT_KNOWN_YET


def _untried(row: Expected) -> Expected:
    if not can_be_got(row.obtain, row.document_type):
        return row._replace(turn=Turn.PERSON)
    if row.obtain == Obtain.MAKE:
        return row._replace(turn=Turn.US)
    late = row.state == ExpectedState.OVERDUE
    return row._replace(turn=Turn.US if late else Turn.CARRIER, next_try=row.since)


def _tried(row: Expected, tries: Sequence[Try], patience: Patience) -> Expected:
    over = [(entry.at, entry.item_id, entry) for entry in tries if entry.at is not None]
    going_on = [entry for entry in tries if entry.at is None]
    row = row._replace(tries=len(over))
    if over:
        last_try, _item, last = max(over)
        row = _with_last(row, last)._replace(last_try=last_try)
    if going_on:
        current = max(going_on, key=lambda entry: entry.item_id)
        return row._replace(
            state=ExpectedState.RUNNING, turn=Turn.US, last_item=current.item_id, last_batch_id=current.batch_id
        )
    if row.obtain != Obtain.FETCH:
        return row._replace(state=ExpectedState.FAILED, turn=Turn.PERSON)
    waits = row.error_type == UNUSABLE or row.error_type in NOT_THERE_YET
    given_up = row.tries >= patience.most_tries or row.error_type in NEED_A_PERSON
    return row._replace(
        state=row.state if row.error_type in NOT_THERE_YET else ExpectedState.FAILED,
        turn=Turn.PERSON if given_up else Turn.CARRIER if waits else Turn.US,
        next_try=None if given_up else last_try + patience.after(row.tries),
    )


def _with_last(row: Expected, last: Try) -> Expected:
    """With what the latest try that is over said."""
    unusable = last.state == "succeeded"
    return row._replace(
        last_item=last.item_id, last_batch_id=last.batch_id, error_type=UNUSABLE if unusable else last.error_type,
        error_message="" if unusable else last.error_message,
    )  # fmt: skip
