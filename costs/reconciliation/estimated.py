"""What telemetry says of a month, by function and day, in USD at list prices."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, localcontext

from costs.ec2_other.reading import month_after
from costs.estimate import EXACT
from costs.estimate.days import EstimatedDays
from services_registry.models import Function

Days = defaultdict[date, Decimal]


@dataclass(slots=True)
class Estimates:
    """Functions with their days. A day is there when a report of it came in."""

    functions: dict[int, Function]
    days: defaultdict[int, Days] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Decimal)))
    warm: defaultdict[int, Days] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Decimal)))
    sample: set[int] = field(default_factory=set)

    def on(self, function: int, day: date) -> Decimal:
        with localcontext(EXACT):
            calls = self.days[function].get(day, Decimal(0)) if function in self.days else Decimal(0)
            return calls + (self.warm[function].get(day, Decimal(0)) if function in self.warm else Decimal(0))

    def of(self, function: int) -> dict[date, Decimal]:
        known = {*self.days.get(function, ()), *self.warm.get(function, ())}
        return {day: self.on(function, day) for day in known}


def estimates_of(month: date, functions: dict[int, Function]) -> Estimates:
    """Read a month's usage once and price it by day."""
    found = Estimates(functions)
    source = EstimatedDays(month, month_after(month) - timedelta(days=1), functions)
    with localcontext(EXACT):
        for call in source.calls():
            found.days[call.function.pk][call.day] += call.usd or 0
            if call.sample:
                found.sample.add(call.function.pk)
        for warm in source.warm():
            found.warm[warm.function.pk][warm.day] += warm.usd or 0
    return found
