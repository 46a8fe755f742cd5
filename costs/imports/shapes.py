"""What a line of any bill is, once read: what tells charges apart, and their exact sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext
from typing import NamedTuple

from costs.estimate import EXACT

MONEY = ("billed_cost", "effective_cost", "list_cost", "contracted_cost", "blended_cost")
SUMS = ("quantity", *MONEY)
FOCUS_NAMES = {
    "billed_cost": "BilledCost", "effective_cost": "EffectiveCost", "list_cost": "ListCost",
    "contracted_cost": "ContractedCost", "blended_cost": "BlendedCost",
}  # fmt: skip
Sums = list[Decimal | None]


class UnreadableBillError(Exception):
    """The file is no bill we can take in whole. The message says why, in which line where that is known."""


class Key(NamedTuple):
    """Charges that are alike in all of this are summed."""

    provider: str
    billing_account: str
    month: date  # of the billing period
    day: date
    until: date
    account: str
    service: str
    service_code: str
    usage_type: str
    operation: str
    region: str
    resource: str
    charge_category: str
    line_type: str
    currency: str
    capability: str
    unit: str
    estimated: bool


@dataclass(slots=True)
class Bill:
    """Everything a file says, summed by `Key`. Sums stand in the order of `SUMS`, then the number of lines."""

    format: str
    source: str
    detail: str = ""
    by_day: bool = False  # told again day by day (Cost Explorer), not by whole billing periods
    rows: int = 0
    lines: dict[Key, tuple[Sums, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    asked: tuple[date, date] | None = None  # the days a Cost Explorer answer covers, also those without a charge

    def add(self, key: Key, sums: Sums, lines: int) -> None:
        known = self.lines.get(key)
        if known is None:
            self.lines[key] = sums, lines
        else:
            with localcontext(EXACT):
                self.lines[key] = [plus(a, b) for a, b in zip(known[0], sums, strict=True)], known[1] + lines

    @property
    def period(self) -> tuple[date, date] | None:
        """First day and the day after the last; None when there is no line."""
        if self.asked:
            return self.asked
        if not self.lines:
            return None
        return min(key.day for key in self.lines), max(key.until for key in self.lines)

    def totals(self) -> dict[str, dict[str, Decimal]]:
        """{currency: {BilledCost: ..., EffectiveCost: ...}}; what no line states is left out."""
        return totals_of((key.currency, sums) for key, (sums, _) in self.lines.items())

    def by(self, name: str) -> dict[str, dict[str, Decimal]]:
        """{currency: {value of a dimension: BilledCost}}."""
        found: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        with localcontext(EXACT):
            for key, (sums, _) in self.lines.items():
                found[key.currency][getattr(key, name)] += sums[1] or 0
        return {currency: dict(values) for currency, values in found.items()}

    def __iter__(self) -> Iterator[tuple[Key, Sums, int]]:
        for key, (sums, lines) in self.lines.items():
            yield key, sums, lines


def totals_of(parts: Iterable[tuple[str, Sums]]) -> dict[str, dict[str, Decimal]]:
    """Sums of money by currency under their FOCUS names."""
    found: dict[str, Sums] = {}
    with localcontext(EXACT):
        for currency, sums in parts:
            known = found.get(currency)
            found[currency] = list(sums) if known is None else [plus(a, b) for a, b in zip(known, sums, strict=True)]
    return {
        currency: {FOCUS_NAMES[name]: value for name, value in zip(SUMS, sums, strict=True)
                   if value is not None and name in FOCUS_NAMES}
        for currency, sums in sorted(found.items())
    }  # fmt: skip


def plus(a: Decimal | None, b: Decimal | None) -> Decimal | None:
    """The sum of what is known; None only when neither is. Exact within `localcontext(EXACT)`."""
    if a is None:
        return b
    return a if b is None else a + b


def plain(value: Decimal) -> str:
    """Decimal text without exponent and without zeros that say nothing: 0.0000001879, 20.5, 0, -3."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
