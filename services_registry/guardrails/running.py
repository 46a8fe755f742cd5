"""How many calls of a function run now, until when, and what they will still cost. AWS does not say; this estimates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet, Sum

from services_registry import pricing
from services_registry.choices import ChunkState
from services_registry.function_facts import usage_of
from services_registry.models import Batch, Chunk, Function, InvocationReport

SHORTEST_S = 60


@dataclass(frozen=True, slots=True)
class Running:
    """`estimated` calls at once: running time of those that ended in the last `window_s` seconds, by that time.
    None when none ended: what runs may have begun since.

    `ended` of them is the sample; `ours` are calls of our own batches that run now. `cost_usd` is the most that all of
    them can still come to, when each runs to its time-out.
    """

    estimated: int | None
    ended: int
    window_s: int
    ours: int
    quiet_at: datetime
    cost_usd: Decimal | None


def running_now(function: Function, timeout_s: int, now: datetime) -> Running:
    """By the reports of the last time-out's length, at least a minute: a call that runs now may be so old."""
    window_s = max(SHORTEST_S, timeout_s)
    reports: dict[str, Any] = InvocationReport.objects.filter(
        function=function, at__gt=now - timedelta(seconds=window_s), at__lte=now
    ).aggregate(n=Count("pk"), ms=Sum("duration_ms"))
    ours = Chunk.objects.filter(state=ChunkState.RUNNING, batch__in=batches_of(function)).count()
    quiet_at = now + timedelta(seconds=timeout_s)
    if not reports["n"] and not ours:
        return Running(None, 0, window_s, 0, quiet_at, None)
    estimated = max(round((reports["ms"] or 0) / 1000 / window_s), ours)
    billed_ms = estimated * timeout_s * 1000
    mb_ms = Decimal(billed_ms * function.memory_mb)
    [cost] = pricing.estimate([usage_of(function, now.astimezone(UTC).date(), 0, billed_ms, mb_ms)])
    return Running(estimated, reports["n"], window_s, ours, quiet_at, cost)


def batches_of(function: Function) -> QuerySet[Batch]:
    """Our own batches on it; one without a region is in the platform's own."""
    regions = [function.region, ""] if function.region == settings.AWS_REGION else [function.region]
    return Batch.objects.filter(function_name=function.name, region__in=regions)
