"""Environments that are kept warm (provisioned concurrency): billed for every second, called or not.

Calls that they serve are cheaper in the bill than the on-demand price that `book` takes for them, because no log line says
which environment served a call: the estimate of such a function is an upper bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext

from costs.choices import Meter
from costs.estimate.book import EXACT, MB_MS_PER_GB_S, PriceBook
from costs.estimate.past import PastFacts
from services_registry.models import Function

MS_PER_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class WarmDay:
    """What one function's warm environments cost on one day; `usd` is None where no price is known."""

    function: Function
    day: date
    environments: int
    usd: Decimal | None


def warm_days(
    functions: dict[int, Function], first: date, last: date, book: PriceBook, past: PastFacts, now: datetime
) -> Iterator[WarmDay]:
    """Days with warm environments, from the day a function was first seen until it was gone; of today what has passed."""
    for function in functions.values():
        if not past.ever(function, "provisioned"):
            continue
        start = max(first, function.first_seen.astimezone(UTC).date())
        end = min(last, (function.gone or now).astimezone(UTC).date())
        for step in range((end - start).days + 1):
            day = start + timedelta(days=step)
            environments = sum(entry.get("environments") or 0 for entry in past.on(function, "provisioned", day) or ())
            if environments:
                usd = _cost(function, environments, day, book, past, now)
                yield WarmDay(function, day, environments, usd)


def _cost(
    function: Function, environments: int, day: date, book: PriceBook, past: PastFacts, now: datetime
) -> Decimal | None:
    architecture = past.on(function, "architecture", day)
    price = book.usd(function.region, Meter.PROVISIONED_GB_SECOND, architecture, day)
    if price is None:
        return None
    passed = now - datetime.combine(day, time(), UTC)
    milliseconds = min(MS_PER_DAY, int(passed.total_seconds() * 1000))
    with localcontext(EXACT):
        mb_ms = Decimal(environments * past.on(function, "memory_mb", day) * milliseconds)
        return (mb_ms / MB_MS_PER_GB_S * price).normalize()
