"""What functions did beside the batches of a day: the part of the estimate that belongs to no delivery."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings

from costs.estimate import exact_sum
from costs.estimate.days import EstimatedDays
from costs.models import UnitBatch
from services_registry import capabilities
from services_registry.models import CapabilityBinding, Function

Place = tuple[str, str]
"""Name and region of a function."""


@dataclass(slots=True)
class Rest:
    """USD of one day beside its batches, see `UnitDay`."""

    outside_usd: Decimal = Decimal(0)
    elsewhere_usd: Decimal = Decimal(0)
    account_usd: Decimal = Decimal(0)
    unpriced: int = 0
    sample: bool = False


def rest_of(first: date, last: date) -> dict[date, Rest]:
    """Every day from `first` to `last`; reads `UnitBatch`, so count the batches before.

    Outside of batches is what the estimate of a function has more than its batches that day. It has less when a line is
    not in yet or came in on the day after; that is no negative cost, the batches are what was really answered.
    """
    days = {date.fromordinal(number): Rest() for number in range(first.toordinal(), last.toordinal() + 1)}
    estimated = EstimatedDays(first, last)
    of_functions: defaultdict[tuple[date, Function], Decimal] = defaultdict(Decimal)
    for call in estimated.calls():
        rest = days[call.day]
        rest.unpriced += call.invocations if call.usd is None else 0
        rest.sample = rest.sample or call.sample
        of_functions[call.day, call.function] = exact_sum((of_functions[call.day, call.function], call.usd))
    for warm in estimated.warm():
        of_functions[warm.day, warm.function] = exact_sum((of_functions[warm.day, warm.function], warm.usd))
    in_batches = _in_batches(first, last)
    working = {place for _day, place in in_batches} | set(_bound())
    for (day, function), usd in of_functions.items():
        place = function.name, function.region
        beside = exact_sum((usd, -in_batches.get((day, place), Decimal(0))))
        if place in working:
            days[day].outside_usd = exact_sum((days[day].outside_usd, max(Decimal(0), beside)))
        else:
            days[day].elsewhere_usd = exact_sum((days[day].elsewhere_usd, usd))
    for line in estimated.account_lines():
        days[line.day].account_usd = exact_sum((days[line.day].account_usd, line.usd))
    return days


def _in_batches(first: date, last: date) -> dict[tuple[date, Place], Decimal]:
    sums: defaultdict[tuple[date, Place], list[Decimal]] = defaultdict(list)
    rows = UnitBatch.objects.filter(day__range=(first, last)).order_by()
    for day, name, region, usd, other in rows.values_list(
        "day", "batch__function_name", "batch__region", "usd", "other_usd"
    ):
        sums[day, (name, region or settings.AWS_REGION)] += (usd, other)
    return {key: exact_sum(parts) for key, parts in sums.items()}


def _bound() -> Iterable[Place]:
    """The functions that do the work of capabilities now."""
    bound = {row.capability: row for row in CapabilityBinding.objects.all()}
    for kind in capabilities.all_capabilities():
        binding = bound.get(kind.slug)
        name = binding.function_name if binding else kind.default_function
        yield name, (binding.region if binding else "") or settings.AWS_REGION
