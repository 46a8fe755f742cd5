"""What a difference between a day and the usual day consists of. The parts add up to it to the last digit.

In this order, so that nothing is counted twice:

calls        more or fewer calls that went well, each at what a call usually costs
failed       more or fewer failed calls (their repeats are calls too), at the same
timeouts     calls that ran into their time-out beyond the usual share: the time they took over a usual call
cold_starts  INIT beyond the usual
memory       the time of the day at another size of memory or /tmp
price        the day's usage at another price
duration     the rest: calls took longer or shorter. What rounding leaves over (below 1e-9 USD) is here too
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal, localcontext

from costs.anomalies.choices import Part
from costs.estimate import EXACT, MB_MS_PER_GB_S, exact_sum

FINE = Decimal(1).scaleb(-9)
_WORK = Decimal(1).scaleb(-20)


@dataclass(frozen=True, slots=True)
class DayUse:
    """What a function did on a day, or on the mean of several days."""

    invocations: Decimal = Decimal(0)
    errors: Decimal = Decimal(0)  # time-outs included
    timeouts: Decimal = Decimal(0)
    init_ms: Decimal = Decimal(0)
    billed_ms: Decimal = Decimal(0)
    billed_mb_ms: Decimal = Decimal(0)
    tmp_mb_ms: Decimal = Decimal(0)  # of /tmp beyond what is free

    @classmethod
    def mean(cls, days: Sequence[DayUse]) -> DayUse:
        with localcontext(EXACT):
            count = max(len(days), 1)
            return cls(
                *((exact_sum(getattr(day, one.name) for day in days) / count).quantize(_WORK) for one in fields(cls))
            )

    @property
    def ms(self) -> Decimal:
        """Billed time of a call."""
        return _per(self.billed_ms, self.invocations)

    @property
    def mb(self) -> Decimal:
        return _per(self.billed_mb_ms, self.billed_ms)

    @property
    def tmp_mb(self) -> Decimal:
        return _per(self.tmp_mb_ms, self.billed_ms)


@dataclass(frozen=True, slots=True)
class Prices:
    """USD of a request, of a GB-second of memory and of one of /tmp on a day."""

    request: Decimal
    gb_second: Decimal
    tmp_gb_second: Decimal = Decimal(0)

    def value(self, use: DayUse) -> Decimal:
        return self.request * use.invocations + self.time(use.billed_mb_ms, use.tmp_mb_ms)

    def time(self, mb_ms: Decimal, tmp_mb_ms: Decimal) -> Decimal:
        return (mb_ms * self.gb_second + tmp_mb_ms * self.tmp_gb_second) / MB_MS_PER_GB_S


def decompose(
    day: DayUse, usual: DayUse, *, delta: Decimal, expected: Decimal, now: Prices, then: Prices, timeout_ms: int
) -> dict[Part, Decimal]:
    """The parts of `delta`, which is the cost of `day` less `expected`.

    Args:
        usual: the mean of the days that `expected` is the mean of.
        now: the prices of the day; `then`: those of the days before.
    """
    with localcontext(EXACT):
        if not usual.invocations:
            return {Part.CALLS: delta}
        each = then.value(usual) / usual.invocations
        share = day.invocations / usual.invocations
        good = (day.invocations - day.errors) - (usual.invocations - usual.errors)
        each_ms = then.time(usual.mb, usual.tmp_mb)
        parts = {
            Part.CALLS: good * each,
            Part.FAILED: (day.errors - usual.errors) * each,
            Part.TIMEOUTS: (day.timeouts - usual.timeouts * share) * _over(usual, timeout_ms) * each_ms,
            Part.COLD_STARTS: (day.init_ms - usual.init_ms * share) * each_ms,
            Part.MEMORY: then.time(day.billed_mb_ms, day.tmp_mb_ms) - day.billed_ms * each_ms,
            Part.PRICE: _price(day, usual, expected, now, then),
        }
        fine = {name: amount.quantize(FINE) for name, amount in parts.items()}
        fine[Part.DURATION] = delta - exact_sum(fine.values())
        return {name: amount for name, amount in ranked(fine.items()) if amount}


def ranked(parts: Iterable[tuple[Part, Decimal]]) -> list[tuple[Part, Decimal]]:
    """The largest first, whether it adds or takes off."""
    return sorted(parts, key=lambda part: -abs(part[1]))


def _over(usual: DayUse, timeout_ms: int) -> Decimal:
    """How much longer a call that times out takes than one that does not."""
    finished = usual.invocations - usual.timeouts
    took = _per(usual.billed_ms - usual.timeouts * timeout_ms, finished) if finished > 0 else Decimal(0)
    return max(Decimal(timeout_ms) - max(took, Decimal(0)), Decimal(0))


def _price(day: DayUse, usual: DayUse, expected: Decimal, now: Prices, then: Prices) -> Decimal:
    """The day at other prices, and what the days before had at other prices than their last."""
    return now.value(day) - then.value(day) + then.value(usual) - expected


def _per(amount: Decimal, count: Decimal) -> Decimal:
    with localcontext(EXACT):
        return (amount / count).quantize(_WORK) if count else Decimal(0)
