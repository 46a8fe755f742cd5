"""One sum of the bill taken apart: billed = our price of its usage + reasons, to the last digit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext

from costs.choices import ChargeCategory, Meter
from costs.ec2_other.mapping import without_region
from costs.estimate import EXACT, PriceBook
from costs.reconciliation.choices import Reason

ROUNDED = Decimal("1E-8")  # a line: bills round quantities and amounts to ten decimals or so
COVERED = frozenset({"SavingsPlanCoveredUsage", "DiscountedUsage", "SavingsPlanNegation"})
ARM = "-ARM"
# Usage types without region prefix and "-ARM", as far as estimates know them.
METERS = {
    "Lambda-GB-Second": Meter.GB_SECOND,
    "Request": Meter.REQUEST,
    "Lambda-Storage-GB-Second": Meter.EPHEMERAL_GB_SECOND,
    "Lambda-Provisioned-Concurrency": Meter.PROVISIONED_GB_SECOND,
    "Lambda-Provisioned-GB-Second": Meter.PROVISIONED_RUN_GB_SECOND,
}


@dataclass(frozen=True, slots=True)
class Charge:
    """A sum of alike lines of the bill."""

    day: date
    until: date
    resource: str
    usage_type: str
    region: str
    account: str
    capability: str
    category: str
    line_type: str
    currency: str
    quantity: Decimal | None
    billed: Decimal
    effective: Decimal | None
    listed: Decimal | None
    contracted: Decimal | None
    lines: int
    estimated: bool

    @property
    def arm(self) -> bool:
        return self.usage_type.endswith(ARM)


@dataclass(slots=True)
class Piece:
    """`usage`: our price of what the bill says was used, by the days it is spread over."""

    charge: Charge
    usage: Decimal = Decimal(0)
    reasons: defaultdict[Reason, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def taken_apart(charge: Charge, book: PriceBook, rate: Decimal, region: str) -> Piece:
    """`rate`: of the bill's currency for a USD. `region`: where the function runs, when the bill does not say."""
    piece = Piece(charge)
    if charge.category != ChargeCategory.USAGE:
        piece.reasons[_of_category(charge)] += charge.billed
        return piece
    with localcontext(EXACT):
        listed = _listed(charge)
        own = _own_price(charge, book, rate, region)
        _after_list(piece, charge, listed)
        if own is None:
            piece.reasons[Reason.NOT_ESTIMATED] += listed
        elif own and not listed:
            piece.usage = own
            piece.reasons[Reason.FREE_TIER] -= own
        else:
            piece.usage = own
            difference = listed - own
            small = abs(difference) <= ROUNDED * charge.lines
            piece.reasons[Reason.ROUNDING if small else Reason.PRICE] += difference
    return piece


def _of_category(charge: Charge) -> Reason:
    if charge.line_type in COVERED:
        return Reason.PLAN
    return {
        ChargeCategory.TAX.value: Reason.TAX, ChargeCategory.PURCHASE.value: Reason.FEES,
    }.get(charge.category, Reason.CREDITS)  # fmt: skip


def _listed(charge: Charge) -> Decimal:
    """The list cost; where the bill does not state it, the nearest that it states."""
    for known in (charge.listed, charge.contracted, charge.effective):
        if known is not None:
            return known
    return charge.billed


def _after_list(piece: Piece, charge: Charge, listed: Decimal) -> None:
    """From the list cost to the billed one."""
    middle = charge.contracted if charge.contracted is not None else charge.effective
    if middle is None or charge.line_type in COVERED:
        middle = listed
    piece.reasons[Reason.DISCOUNT] += middle - listed
    piece.reasons[Reason.PLAN] += charge.billed - middle


def _own_price(charge: Charge, book: PriceBook, rate: Decimal, region: str) -> Decimal | None:
    meter = METERS.get(without_region(charge.usage_type).removesuffix(ARM))
    if meter is None or charge.quantity is None:
        return None
    architecture = "arm64" if charge.arm else "x86_64"
    usd = book.usd(charge.region or region, meter, architecture, charge.day)
    return None if usd is None else charge.quantity * usd * rate
