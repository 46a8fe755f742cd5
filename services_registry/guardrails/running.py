"""How many calls of a function run now, until when, and what they will still cost. Nobody says it exactly; this estimates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet, Sum

from core.aws.errors import AwsError
from core.aws.metrics import read_metrics
from services_registry import pricing
from services_registry.choices import ChunkState
from services_registry.function_facts import usage_of
from services_registry.models import Batch, Chunk, Function, InvocationReport
from services_registry.registry import access_to

SHORTEST_S = 60
COUNTED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Running:
    """Three ways to know, none of them whole; `at_once` is the largest, None when no way says anything.

    `counted`: the most at once in a minute of the last five, as CloudWatch says; it sees calls before they end.
    `estimated`: running time of the calls that ended in the last `window_s` seconds, by that time; `ended` is the sample.
    `ours`: calls of our own batches that run now. `cost_usd`: what `at_once` calls still come to, each to its time-out.
    """

    counted: int | None
    estimated: int | None
    ended: int
    window_s: int
    ours: int
    quiet_at: datetime
    cost_usd: Decimal | None

    @property
    def at_once(self) -> int | None:
        known = [number for number in (self.counted, self.estimated, self.ours or None) if number is not None]
        return max(known, default=None)


def running_now(function: Function, timeout_s: int, now: datetime) -> Running:
    """By the reports of the last time-out's length, at least a minute: a call that runs now may be so old."""
    window_s = max(SHORTEST_S, timeout_s)
    reports: dict[str, Any] = InvocationReport.objects.filter(
        function=function, at__gt=now - timedelta(seconds=window_s), at__lte=now
    ).aggregate(n=Count("pk"), ms=Sum("duration_ms"))
    found = Running(
        counted=_counted(function, now),
        estimated=round(reports["ms"] / 1000 / window_s) if reports["n"] else None,
        ended=reports["n"],
        window_s=window_s,
        ours=Chunk.objects.filter(state=ChunkState.RUNNING, batch__in=batches_of(function)).count(),
        quiet_at=now + timedelta(seconds=timeout_s),
        cost_usd=None,
    )
    return found if found.at_once is None else replace(found, cost_usd=_cost(function, found.at_once, timeout_s, now))


def _counted(function: Function, now: datetime) -> int | None:
    """None where CloudWatch has no point, or does not answer us: a preview goes without."""
    try:
        readings = list(
            read_metrics(
                [function.name], start=now - COUNTED, end=now, period_s=60, region=function.region,
                access=access_to(function),
            )
        )  # fmt: skip
    except AwsError:
        return None
    return max((one.concurrency for one in readings if one.concurrency is not None), default=None)


def _cost(function: Function, calls: int, timeout_s: int, now: datetime) -> Decimal | None:
    billed_ms = calls * timeout_s * 1000
    usage = usage_of(function, now.astimezone(UTC).date(), 0, billed_ms, Decimal(billed_ms * function.memory_mb))
    [cost] = pricing.estimate([usage])
    return cost


def batches_of(function: Function) -> QuerySet[Batch]:
    """Our own batches on it; one without a region is in the platform's own."""
    regions = [function.region, ""] if function.region == settings.AWS_REGION else [function.region]
    return Batch.objects.filter(function_name=function.name, region__in=regions)
