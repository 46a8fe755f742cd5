"""The rows behind a bar: functions of a group in a month, functions of a day, days of a function."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet
from django.utils import timezone

from costs.budgets.choices import Currency
from costs.estimate import PriceBook, exact_sum
from costs.estimate.past import PastFacts
from costs.estimate.warm import warm_days
from costs.forecast import month_end
from costs.selectors import Amount, RateBook
from costs.sums import spendings
from services_registry.choices import Origin
from services_registry.models import Function, FunctionDay
from services_registry.pricing import Usage, tmp_mb_ms


@dataclass(slots=True)
class UseLine:
    """What a function did on a day and what that cost, in one currency."""

    day: date
    invocations: int = 0
    errors: int = 0
    timeouts: int = 0
    cold_starts: int = 0
    billed_ms: int = 0
    sample: bool = False
    amount: Amount = field(default_factory=Amount)

    @property
    def ms(self) -> float | None:
        return self.billed_ms / self.invocations if self.invocations else None

    def cost(self, currency: str) -> Decimal | None:
        return self.amount.eur if currency == Currency.EUR else self.amount.usd


def days_of_function(function: Function, month: date) -> list[UseLine]:
    """Each day of a month on which a function did something or was kept warm, the latest first. Four queries."""
    book, rates, past = PriceBook(), RateBook(), PastFacts(month)
    rows: QuerySet[FunctionDay] = function.days.filter(day__range=(month, month_end(month))).defer("histogram")
    lines: dict[date, UseLine] = {}
    for row in rows:
        line = lines.setdefault(row.day, UseLine(row.day))
        for name in ("invocations", "errors", "timeouts", "cold_starts", "billed_ms"):
            setattr(line, name, getattr(line, name) + getattr(row, name))
        line.sample = line.sample or row.origin == Origin.SAMPLE
        tmp = tmp_mb_ms(past.on(function, "ephemeral_mb", row.day), row.billed_ms)
        architecture = past.on(function, "architecture", row.day)
        usage = Usage(function.region, architecture, row.day, row.invocations, row.billed_mb_ms, tmp)
        line.amount.add(book.cost(usage), rates.per_usd(row.day), invocations=row.invocations)
    for warm in warm_days({function.pk: function}, month, month_end(month), book, past, timezone.now()):
        lines.setdefault(warm.day, UseLine(warm.day)).amount.add(warm.usd, rates.per_usd(warm.day))
    return sorted(lines.values(), key=lambda line: line.day, reverse=True)


def functions_of_day(day: date, **chosen: str) -> list[tuple[Function, Amount, int]]:
    """(function, what it cost on a day, its calls), the dearest first. `chosen`: fields of the function."""
    rate = RateBook().per_usd(day)
    amounts: defaultdict[Function, Amount] = defaultdict(Amount)
    calls: defaultdict[Function, int] = defaultdict(int)
    for one in spendings(day, day):
        if one.function is None or any(getattr(one.function, name) != value for name, value in chosen.items()):
            continue
        amounts[one.function].add(one.usd, rate, sample=one.sample, invocations=one.invocations)
        calls[one.function] += one.invocations
    ranked = sorted(amounts.items(), key=lambda pair: (-pair[1].usd, pair[0].name))
    return [(function, amount, calls[function]) for function, amount in ranked]


def sum_of(values: list[Decimal | None]) -> Decimal | None:
    """None when one of them is not known."""
    return None if any(value is None for value in values) else exact_sum(values)
