"""What pages, files and the API ask of the counted days and weeks. A few indexed rows each; no items of batches.

"Per delivery" is money for work on deliveries, by the deliveries that were worked on in that day or week, each counted once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, localcontext
from functools import cache
from typing import NamedTuple

from costs.choices import Step, UnitPart
from costs.estimate import EXACT, exact_sum
from costs.models import UnitCost, UnitDay
from costs.selectors import RateBook
from shipments.models import Carrier

CARRIER, KIND, TOGETHER = "carrier", "kind", ""
Key = tuple[int | None, str]
"""Carrier and kind of work; None and "" where it is not split by them, or of none."""


class Row(NamedTuple):
    """Of `UnitCost`, what is read: a year by carrier has ten thousand rows, and models cost three times as much."""

    start: date
    carrier_id: int | None
    capability: str
    deliveries: int
    items: int
    usd: Decimal
    other_items: int
    other_usd: Decimal
    sample: bool


@dataclass(slots=True)
class Money:
    """USD and the same in EUR by the day's rate (None when one is not known)."""

    usd: Decimal = Decimal(0)
    eur: Decimal | None = Decimal(0)

    def add(self, usd: Decimal, rate: Decimal | None) -> None:
        with localcontext(EXACT):
            self.usd += usd
            self.eur = None if self.eur is None or rate is None else self.eur + usd * rate

    def by(self, parts: int) -> Money | None:
        """Divided, to 28 digits; None by zero."""
        if not parts:
            return None
        return Money(self.usd / parts, None if self.eur is None else self.eur / parts)


@dataclass(slots=True)
class Work:
    """What batches did in a stretch of time. `other`: of no single delivery."""

    deliveries: int = 0
    items: int = 0
    other_items: int = 0
    money: Money = field(default_factory=Money)
    other: Money = field(default_factory=Money)
    sample: bool = False

    @property
    def per_delivery(self) -> Money | None:
        return self.money.by(self.deliveries)

    @property
    def per_thousand(self) -> Money | None:
        """USD for a thousand deliveries: one costs fractions of a cent that nobody can read."""
        each = self.per_delivery
        return None if each is None else Money(each.usd * 1_000, None if each.eur is None else each.eur * 1_000)

    def take(self, row: Row, rate: Decimal | None) -> None:
        self.items += row.items
        self.other_items += row.other_items
        self.money.add(row.usd, rate)
        self.other.add(row.other_usd, rate)
        self.sample = self.sample or row.sample

    def pour(self, more: Work) -> None:
        self.deliveries += more.deliveries
        self.items += more.items
        self.other_items += more.other_items
        self.sample = self.sample or more.sample
        for into, part in ((self.money, more.money), (self.other, more.other)):
            into.usd = exact_sum((into.usd, part.usd))
            into.eur = None if into.eur is None or part.eur is None else exact_sum((into.eur, part.eur))


@dataclass(slots=True)
class Beside:
    """What functions cost beside batches in a stretch of time, see `UnitDay`."""

    outside: Money = field(default_factory=Money)
    elsewhere: Money = field(default_factory=Money)
    account: Money = field(default_factory=Money)
    unpriced: int = 0
    sample: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """UTC days `first` to `last`, both included, in steps; only of one carrier or kind where these are given."""

    first: date
    last: date
    step: Step = Step.DAY
    carrier: Carrier | None = None
    kind: str = ""

    @classmethod
    def whole(cls, first: date, last: date, step: Step, carrier: Carrier | None = None, kind: str = "") -> Asked:
        """Stretched to whole weeks where steps are weeks: half a week's deliveries are not known."""
        if step == Step.WEEK:
            first, last = monday_of(first), monday_of(last) + timedelta(days=6)
        return cls(first, last, step, carrier, kind)

    @property
    def filtered(self) -> bool:
        return bool(self.carrier or self.kind)

    def start_of(self, day: date) -> date:
        return monday_of(day) if self.step == Step.WEEK else day


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def work_of(asked: Asked, by: str = TOGETHER) -> dict[tuple[date, Key], Work]:
    """Sums by step, and by carrier or kind of work. Two queries, three for weeks."""
    found: defaultdict[tuple[date, Key], Work] = defaultdict(Work)
    rates = _rates()
    for row in _rows(asked, by, Step.DAY):
        work = found[asked.start_of(row.start), _key(row, by)]
        work.take(row, rates(row.start))
        if asked.step == Step.DAY:
            work.deliveries += row.deliveries
    if asked.step == Step.WEEK:
        for row in _rows(asked, by, Step.WEEK):
            found[row.start, _key(row, by)].deliveries += row.deliveries
    return dict(found)


def _rows(asked: Asked, by: str, step: Step) -> Iterator[Row]:
    of_carrier, of_kind = bool(asked.carrier) or by == CARRIER, bool(asked.kind) or by == KIND
    parts = {
        (True, True): UnitPart.BOTH, (True, False): UnitPart.CARRIER, (False, True): UnitPart.KIND,
        (False, False): UnitPart.ALL,
    }  # fmt: skip
    rows = UnitCost.objects.filter(step=step, part=parts[of_carrier, of_kind], start__range=(asked.first, asked.last))
    if asked.carrier:
        rows = rows.filter(carrier=asked.carrier)
    if asked.kind:
        rows = rows.filter(capability=asked.kind)
    return map(Row._make, rows.order_by("start").values_list(*Row._fields))


def _key(row: Row, by: str) -> Key:
    return (row.carrier_id if by == CARRIER else None), (row.capability if by == KIND else "")


def beside_of(asked: Asked) -> dict[date, Beside]:
    """By step, what batches have no part in. It belongs to no carrier and no kind, so filters do not touch it."""
    found: defaultdict[date, Beside] = defaultdict(Beside)
    rates = _rates()
    for row in UnitDay.objects.filter(day__range=(asked.first, asked.last)).order_by("day"):
        beside, rate = found[asked.start_of(row.day)], rates(row.day)
        beside.outside.add(row.outside_usd, rate)
        beside.elsewhere.add(row.elsewhere_usd, rate)
        beside.account.add(row.account_usd, rate)
        beside.unpriced += row.unpriced
        beside.sample = beside.sample or row.sample
    return dict(found)


def _rates() -> Callable[[date], Decimal | None]:
    return cache(RateBook().per_usd)


def together(works: Iterable[Work]) -> Work:
    """Several stretches in one. Their deliveries are added: one worked on in two of them counts twice."""
    whole = Work()
    for work in works:
        whole.pour(work)
    return whole
