"""What is usual for a weekday: the middle of the same weekday in the 8 weeks before, and how far those days lie from it.

A day is unusual when it lies further from the median than the largest of: three times the usual distance (median absolute
deviation x 1.4826, which is a standard deviation for values spread normally), 30 % of the median, and the least amount
that is worth a look. The expected cost is the mean of the days that were themselves usual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from statistics import median

from costs.estimate import EXACT

WEEKS = 8
FEWEST = 3
TIMES, TO_SIGMA, LEAST_SHARE = 3, Decimal("1.4826"), Decimal("0.3")
STEP = Decimal(1).scaleb(-18)
NEW_TIMES = 5
"""A function without a past is unusual from so many times the least amount on."""


@dataclass(frozen=True, slots=True)
class Band:
    """From `low` to `high` is usual. `days` are those that the expected cost is the mean of; none for a new function."""

    low: Decimal
    high: Decimal
    expected: Decimal
    days: Sequence[date]

    def unusual(self, cost: Decimal) -> bool:
        return not self.low <= cost <= self.high


def same_weekdays(day: date) -> list[date]:
    """The days it is compared with, the latest first."""
    return [day - timedelta(weeks=week) for week in range(1, WEEKS + 1)]


def band_of(costs: Mapping[date, Decimal], least: Decimal) -> Band:
    """The band that these earlier days make. `least`: smaller differences are never unusual."""
    if not costs:
        return Band(Decimal(0), least * NEW_TIMES, Decimal(0), ())
    with localcontext(EXACT):
        middle = median(costs.values())
        distance = median(abs(cost - middle) for cost in costs.values())
        reach = max(distance * TO_SIGMA * TIMES, middle * LEAST_SHARE, least)
        low, high = max(middle - reach, Decimal(0)), middle + reach
        days = sorted(day for day, cost in costs.items() if low <= cost <= high) or sorted(costs)
        mean = sum((costs[day] for day in days), Decimal(0)) / len(days)
        return Band(low.quantize(STEP), high.quantize(STEP), mean.quantize(STEP), days)
