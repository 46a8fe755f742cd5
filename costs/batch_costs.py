"""What one batch costs: so far, at its end if it goes on like this, and as planned. USD, exact, never rounded.

Summed in the database by memory and day, so that a batch of 50,000 chunks is priced like one of fifty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce, Greatest, TruncDate

from costs.chunk_prices import ChunkPrices
from costs.estimate import exact_sum
from services_registry.choices import ChunkState
from services_registry.models import Batch, Chunk

UNDER_WAY = (ChunkState.RUNNING, ChunkState.CHECKING)


@dataclass(frozen=True, slots=True)
class BatchBill:
    """`unbilled` chunks were invoked, but their billed time or price is not known: `usd` is the least it cost."""

    usd: Decimal
    unbilled: int


@dataclass(frozen=True, slots=True)
class AgainstPlan:
    """None where nothing was planned, or nothing can be said yet. `share` of the planned amount is used up."""

    planned: Decimal | None
    worst: Decimal | None
    expected: Decimal | None
    share: float | None


def requests_of(chunk: Chunk) -> int:
    """How many invocations its billed time is of."""
    return max(1, chunk.billed_invocations)


def bill_of(batch: Batch) -> BatchBill:
    """Six queries: the sums, how the function is and was configured, the prices, and what is not known."""
    day = TruncDate(Coalesce("finished", "started", "batch__created"), tzinfo=UTC)
    groups = (
        batch.chunks.filter(billed_ms__isnull=False).order_by().values("memory_mb", day=day)
        .annotate(ms=Sum("billed_ms"), requests=Sum(Greatest(F("billed_invocations"), 1)), chunks=Count("pk"))
    )  # fmt: skip
    prices = ChunkPrices([batch.function_name], batch.created.astimezone(UTC).date())
    costs = [(row["chunks"], _cost(row, batch, prices)) for row in groups]
    silent = batch.chunks.filter(attempt__gt=0, billed_ms=None).exclude(state__in=UNDER_WAY).count()
    unpriced = sum(chunks for chunks, usd in costs if usd is None)
    return BatchBill(exact_sum(usd for _chunks, usd in costs), silent + unpriced)


def _cost(row: Mapping[str, Any], batch: Batch, prices: ChunkPrices) -> Decimal | None:
    region = batch.region or settings.AWS_REGION
    facts = {"billed_ms": row["ms"], "requests": row["requests"], "memory_mb": row["memory_mb"]}
    return prices.cost(batch.function_name, region, row["day"], **facts)


def against_plan(batch: Batch, bill: BatchBill) -> AgainstPlan:
    """The amount at the end is today's amount for each settled item, times all items."""
    planned, worst = (_decimal(batch.plan, name) for name in ("usd", "worst_usd"))
    expected = bill.usd / batch.settled * batch.total if batch.settled and batch.pending and bill.usd else None
    return AgainstPlan(planned, worst, expected, float(bill.usd / planned) if planned else None)


def _decimal(plan: Any, name: str) -> Decimal | None:
    value = plan.get(name) if isinstance(plan, dict) else None
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None
