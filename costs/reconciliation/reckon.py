"""Pieces of the bill and estimates put together, by function: billed = estimated + reasons + rest, to the last digit.

1. A charge with the ARN of a function is that function's; an ARN that the registry does not know keeps its name.
2. A charge without a resource is allocated: to the functions of its capability tag, else of its account, region and
   architecture, by what was estimated of them on its days. Where nothing was estimated it stays "no function".
3. Usage on days without any report of the function is missing telemetry; estimates of days after the bill's last one are
   not billed yet. What is left is the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, localcontext

from costs.ec2_other.split import bears, shares_of
from costs.estimate import EXACT, PriceBook
from costs.reconciliation.choices import Reason
from costs.reconciliation.estimated import Estimates
from costs.reconciliation.pieces import Charge, Piece, taken_apart
from services_registry.models import Function

NOBODY = ""
_WEIGHT = Decimal(10) ** 20


@dataclass(slots=True)
class Reckoned:
    """One function (or a name that the registry does not know) in a month and currency."""

    name: str
    function: Function | None = None
    estimated: Decimal = Decimal(0)
    billed: Decimal = Decimal(0)
    effective: Decimal | None = None
    allocated: Decimal = Decimal(0)
    reasons: defaultdict[Reason, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    seen: set[date] = field(default_factory=set)
    charged: set[date] = field(default_factory=set)
    provisional: bool = False

    @property
    def rest(self) -> Decimal:
        with localcontext(EXACT):
            return self.billed - self.estimated - sum(self.reasons.values(), Decimal(0))


def reckon(charges: Iterable[Charge], estimates: Estimates, book: PriceBook, rate: Decimal) -> list[Reckoned]:
    """All rows of one month and currency. Their `billed` add up to the charges'."""
    charges = list(charges)
    by_arn = {function.arn: function for function in estimates.functions.values()}
    rows: dict[str, Reckoned] = {}
    with localcontext(EXACT):
        for function in estimates.functions.values():
            _estimate(rows, function, estimates, rate)
        for charge in charges:
            arn = function_arn(charge.resource)
            known = by_arn.get(arn)
            piece = taken_apart(charge, book, rate, known.region if known else "")
            if known is not None:
                _book(_row(rows, known.arn, known.name, known), piece)
            elif charge.resource:
                _book(_row(rows, arn, arn.rsplit(":", 1)[-1][:250]), piece)
            else:
                _allocate(rows, piece, estimates)
        _not_billed_yet(rows, charges, estimates, rate)
    return [row for row in rows.values() if row.billed or row.estimated or row.reasons]


def function_arn(resource: str) -> str:
    """Without a version or alias."""
    return ":".join(resource.split(":")[:7]) if ":function:" in resource else resource


def _row(rows: dict[str, Reckoned], key: str, name: str, function: Function | None = None) -> Reckoned:
    return rows.setdefault(key, Reckoned(name, function))


def _estimate(rows: dict[str, Reckoned], function: Function, estimates: Estimates, rate: Decimal) -> None:
    days = estimates.of(function.pk)
    if not days:
        return
    row = _row(rows, function.arn, function.name, function)
    row.estimated = sum(days.values(), Decimal(0)) * rate
    row.seen = set(days)


def _days_of(charge: Charge) -> list[date]:
    return [charge.day + timedelta(days=n) for n in range(max(1, (charge.until - charge.day).days))]


def _book(row: Reckoned, piece: Piece) -> None:
    """Add a charge to its row; usage of days without a report is missing telemetry."""
    days = _days_of(piece.charge)
    silent = [day for day in days if day not in row.seen]
    _add(row, piece)
    row.charged |= set(days)
    if piece.usage and silent:
        row.reasons[Reason.MISSING] += shares_of(piece.usage, [len(silent), len(days) - len(silent)])[0]


def _add(row: Reckoned, piece: Piece) -> None:
    charge = piece.charge
    row.billed += charge.billed
    if charge.effective is not None:
        row.effective = (row.effective or Decimal(0)) + charge.effective
    for reason, amount in piece.reasons.items():
        row.reasons[reason] += amount
    row.provisional = row.provisional or charge.estimated


def _allocate(rows: dict[str, Reckoned], piece: Piece, estimates: Estimates) -> None:
    charge, days = piece.charge, _days_of(piece.charge)
    candidates = _candidates(charge, estimates.functions.values())
    weights = [int(sum((estimates.on(f.pk, day) for day in days), Decimal(0)) * _WEIGHT) for f in candidates]
    if not any(weights):
        row = _row(rows, NOBODY, NOBODY)
        _add(row, piece)
        row.reasons[Reason.MISSING] += piece.usage
        row.charged |= set(days)
        return
    billed = shares_of(charge.billed, weights)
    effective = shares_of(charge.effective, weights) if charge.effective is not None else None
    reasons = {reason: shares_of(amount, weights) for reason, amount in piece.reasons.items() if amount}
    for place, function in enumerate(candidates):
        if not weights[place]:
            continue
        row = _row(rows, function.arn, function.name, function)
        row.billed += billed[place]
        row.allocated += billed[place]
        if effective is not None:
            row.effective = (row.effective or Decimal(0)) + effective[place]
        for reason, parts in reasons.items():
            row.reasons[reason] += parts[place]
        row.charged |= set(days)
        row.provisional = row.provisional or charge.estimated


def _candidates(charge: Charge, functions: Iterable[Function]) -> list[Function]:
    here = [
        function for function in functions
        if (not charge.account or function.account == charge.account)
        and (not charge.region or function.region == charge.region)
    ]  # fmt: skip
    if charge.capability and (tagged := [function for function in here if bears(function, charge.capability)]):
        return tagged
    if charge.arm:
        return [function for function in here if function.architecture == "arm64"]
    return here


def _not_billed_yet(rows: dict[str, Reckoned], charges: Sequence[Charge], estimates: Estimates, rate: Decimal) -> None:
    """Estimates of days after the last one that the bill of the account tells of, at all."""
    if not charges:
        return
    ends: dict[str, date] = {}
    for charge in charges:
        ends[charge.account] = max(ends.get(charge.account, charge.until), charge.until)
    for row in rows.values():
        if row.function is not None:
            end = ends.get(row.function.account, ends.get("", date.max))
            late = [usd for day, usd in estimates.of(row.function.pk).items() if day >= end]
            if late:
                row.reasons[Reason.NOT_BILLED] -= sum(late, Decimal(0)) * rate
