"""Sums of every function over any range, added up in the database: for ranges whose sums are not kept ready.

Costs stay exact: a price depends on the day, so sums are made for each stretch of days in which no price changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext
from typing import Any

from django.db.models import QuerySet, Sum

from core.timerange import TimeRange
from services_registry import pricing
from services_registry.courses import hour_of
from services_registry.function_facts import BY_HOURS, EXACT, days_of
from services_registry.models import FunctionDay, FunctionHour

COUNTS = ("invocations", "errors", "timeouts", "cold_starts")
DAY = timedelta(days=1)
_MUCH = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Place:
    """What the price of a function's usage depends on beside the day."""

    region: str
    architecture: str
    ephemeral_mb: int


@dataclass(slots=True)
class FunctionSums:
    invocations: int = 0
    errors: int = 0
    timeouts: int = 0
    cold_starts: int = 0
    cost: Decimal | None = None


def sums_by_function(period: TimeRange, places: Mapping[int, Place]) -> dict[int, FunctionSums]:
    """By function; those without any report are left out. One query for each stretch of equal prices, usually one."""
    found: dict[int, FunctionSums] = {}
    for first, last in _stretches(period, set(places.values())):
        rows = _rollups(period, first, last).order_by().values("function_id")
        summed = list(rows.annotate(**{name: Sum(name) for name in (*COUNTS, "billed_ms", "billed_mb_ms")}))
        costs = pricing.estimate([_usage(places[row["function_id"]], first, row) for row in summed])
        for row, cost in zip(summed, costs, strict=True):
            sums = found.setdefault(row["function_id"], FunctionSums())
            for name in COUNTS:
                setattr(sums, name, getattr(sums, name) + row[name])
            if cost is not None:
                with localcontext(EXACT):
                    sums.cost = (sums.cost or Decimal(0)) + cost
    return found


def _rollups(period: TimeRange, first: date, last: date) -> QuerySet[Any]:
    """As for the list: hours that begin in a range of up to two days, the UTC days that a longer one touches."""
    if period.length > BY_HOURS:
        return FunctionDay.objects.filter(days_of(period), day__gte=first, day__lte=last)
    begin, end = (datetime.combine(day, time(), UTC) for day in (first, last + DAY))
    start = max(begin, hour_of(period.start))
    return FunctionHour.objects.filter(hour__gte=start, hour__lt=min(end, period.end))


def _usage(place: Place, day: date, row: Mapping[str, Any]) -> pricing.Usage:
    tmp = pricing.tmp_mb_ms(place.ephemeral_mb, row["billed_ms"])
    return pricing.Usage(place.region, place.architecture, day, row["invocations"], row["billed_mb_ms"], tmp)


def _stretches(period: TimeRange, places: Iterable[Place]) -> Iterator[tuple[date, date]]:
    """(first day, last day) in which every price is the same."""
    start = period.start.astimezone(UTC).date()
    last = (period.end - timedelta(microseconds=1)).astimezone(UTC).date()
    days = [start + DAY * n for n in range((last - start).days + 1)]
    pairs = sorted({(place.region, place.architecture) for place in places})
    asked = [
        pricing.Usage(*pair, day, requests, compute, tmp)
        for day in days for pair in pairs
        for requests, compute, tmp in ((10**9, Decimal(0), Decimal(0)), (0, _MUCH, Decimal(0)), (0, Decimal(0), _MUCH))
    ]  # fmt: skip
    prices = pricing.estimate(asked)
    width = 3 * len(pairs)
    of_day = [prices[n * width : (n + 1) * width] for n in range(len(days))]
    begin = 0
    for n in range(1, len(days) + 1):
        if n == len(days) or of_day[n] != of_day[begin]:
            yield days[begin], days[n - 1]
            begin = n
