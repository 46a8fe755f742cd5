"""What the reconciliation page, its CSV and the API show: the rows of one month and currency, and one function's months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, localcontext

from django.db.models import F, Sum
from django.db.models.functions import Abs
from django.utils import timezone

from costs.ec2_other.reading import month_before
from costs.estimate import EXACT, exact_sum
from costs.models import Reconciliation
from costs.reconciliation.choices import Reason
from costs.reconciliation.refresh import has_grown, rest_of


def reasons_of(row: Reconciliation) -> dict[Reason, Decimal]:
    return {reason: Decimal(row.reasons[reason.value]) for reason in Reason if reason.value in row.reasons}


@dataclass(slots=True)
class Line:
    """A kept row with what the page shows of it."""

    row: Reconciliation
    reasons: dict[Reason, Decimal]

    @property
    def gap(self) -> Decimal:
        with localcontext(EXACT):
            gap: Decimal = self.row.billed - self.row.estimated
            return gap

    @property
    def gap_share(self) -> float | None:
        return float(self.gap / self.row.estimated) if self.row.estimated else None

    @property
    def known(self) -> Decimal:
        return exact_sum(self.reasons.values())

    @property
    def rest_share(self) -> float | None:
        return float(self.row.rest / self.row.billed) if self.row.billed else None


@dataclass(slots=True)
class Reconciled:
    """One month and currency. billed = estimated + reasons + rest, in every line and in the sums."""

    month: date | None
    months: list[date]
    currency: str = "USD"
    currencies: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    unexplained_before: Decimal | None = None

    def total(self, name: str) -> Decimal:
        return exact_sum(getattr(line.row, name) for line in self.lines)

    @property
    def billed(self) -> Decimal:
        return self.total("billed")

    @property
    def estimated(self) -> Decimal:
        return self.total("estimated")

    @property
    def rest(self) -> Decimal:
        return self.total("rest")

    @property
    def gap(self) -> Decimal:
        with localcontext(EXACT):
            return self.billed - self.estimated

    @property
    def unexplained(self) -> Decimal:
        """Without signs: too much and too little do not hide each other."""
        return rest_of(line.row for line in self.lines)

    @property
    def grown(self) -> bool:
        return has_grown(self.unexplained, self.billed, self.unexplained_before)

    @property
    def reasons(self) -> dict[Reason, Decimal]:
        sums = {reason: exact_sum(line.reasons.get(reason) for line in self.lines) for reason in Reason}
        return {reason: amount for reason, amount in sums.items() if amount}

    @property
    def counted(self) -> datetime | None:
        return min((line.row.counted for line in self.lines), default=None)

    @property
    def sample(self) -> bool:
        return any(line.row.sample for line in self.lines)

    @property
    def provisional(self) -> bool:
        return any(line.row.estimated_bill for line in self.lines)


def reconciled(query: Mapping[str, str]) -> Reconciled:
    """The month that an address asks for, usually the last whole one. Three queries."""
    months = list(Reconciliation.objects.order_by("-month").values_list("month", flat=True).distinct()[:36])
    if not months:
        return Reconciled(None, [])
    month = _month(query.get("month", ""), months)
    here = list(Reconciliation.objects.filter(month=month).order_by(Abs(F("rest")).desc(), "-billed", "name"))
    known = sorted({row.currency for row in here}, key=lambda name: (name != "USD", name))
    currency = query.get("currency", "") if query.get("currency") in known else known[0]
    lines = [Line(row, reasons_of(row)) for row in here if row.currency == currency]
    past = Reconciliation.objects.filter(month=month_before(month), currency=currency)
    before = past.aggregate(rest=Sum(Abs(F("rest"))))["rest"]
    return Reconciled(month, months, currency, known, lines, before)


def _month(text: str, months: list[date]) -> date:
    for month in months:
        if f"{month:%Y-%m}" == text:
            return month
    this = timezone.now().date().replace(day=1)
    return next((month for month in months if month < this), months[0])


def past_of(row: Reconciliation) -> list[Line]:
    """The same function (or name) in other months, oldest first."""
    same = Reconciliation.objects.filter(currency=row.currency, function=row.function)
    if row.function is None:
        same = Reconciliation.objects.filter(currency=row.currency, function=None, name=row.name)
    return [Line(one, reasons_of(one)) for one in same.order_by("-month")[:13]][::-1]


def steps(estimated: Decimal, reasons: Mapping[Reason, Decimal]) -> Iterable[tuple[Reason, Decimal, Decimal]]:
    """(reason, amount, sum so far), from the estimate towards the bill."""
    so_far = estimated
    for reason, amount in reasons.items():
        so_far = exact_sum((so_far, amount))
        yield reason, amount, so_far
