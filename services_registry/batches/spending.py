"""What a plan would cost: as predicted, and at worst. Exact in Decimal, in USD; EUR at the rate of the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date
from decimal import Context, Decimal, localcontext

from django.utils import timezone

from services_registry import pricing
from services_registry.batches.decide import MAX_ATTEMPTS
from services_registry.batches.history import ITEM, History
from services_registry.batches.settle import FREE_DIVISIONS
from services_registry.function_facts import usage_of
from services_registry.models import Function

EXACT = Context(prec=80)  # nothing is ever rounded
ASYNC_SENDS = 3
"""An asynchronous event that fails or times out is tried twice more by AWS (MaximumRetryAttempts, default 2)."""


@dataclass(frozen=True, slots=True)
class Money:
    """None: no price or no exchange rate is known for the day."""

    usd: Decimal | None = None
    eur: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """`predicted` from experience; `worst`: each of `invocations` runs to its time-out; `worst_async`: the same chunks
    sent asynchronously, with AWS's own retries.

    `invocations` is the most that the engine may make: a chunk whose answer gets lost is sent `sends` times, and one
    that times out is tried again in halves, as often as a batch may divide while nothing in it succeeds.
    """

    predicted: Money = Money()
    worst: Money = Money()
    worst_async: Money = Money()
    sends: int = MAX_ATTEMPTS
    invocations: int = 0


def spending_of(row: Function | None, history: History, *, items: int, chunks: int, repeatable: bool) -> Spending:
    """Nothing is known of the cost of a function that the registry does not know: its memory sets the price."""
    sends = MAX_ATTEMPTS if repeatable else 1
    most = sends * (chunks + 2 * min(items - chunks, FREE_DIVISIONS + 1))
    if row is None:
        return Spending(sends=sends, invocations=most)
    each_ms = history.billed_ms if history.billed_ms is not None else history.mean_ms
    units = items if history.per == ITEM else chunks
    usages = [
        _usage(row, most, most * row.timeout_s * 1000),
        _usage(row, chunks * ASYNC_SENDS, chunks * ASYNC_SENDS * row.timeout_s * 1000),
        *([_usage(row, chunks, round(each_ms * units))] if each_ms is not None else []),
    ]
    rate = pricing.euro_rate(_today())
    worst, worst_async, *predicted = [_money(usd, rate) for usd in pricing.estimate(usages)]
    return Spending(predicted[0] if predicted else Money(), worst, worst_async, sends, most)


def _usage(row: Function, requests: int, billed_ms: int) -> pricing.Usage:
    return usage_of(row, _today(), requests, billed_ms, Decimal(billed_ms) * row.memory_mb)


def _money(usd: Decimal | None, rate: Decimal | None) -> Money:
    with localcontext(EXACT):
        return Money(usd, usd * rate if usd is not None and rate is not None else None)


def _today() -> date:
    return timezone.now().astimezone(UTC).date()
