"""Keeps `FunctionStanding` up: what every function came to over the preset ranges."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from core.timerange import PRESETS, TimeRange
from services_registry.function_facts import OLDEST, FunctionFacts, summed
from services_registry.models import Function, FunctionStanding

AT_ONCE = 200
"""Functions summed together: bounds the memory of a refresh over 13 months."""


def refresh_standings(names: Iterable[str]) -> int:
    """Sum these preset ranges anew up to now; how many rows there are. Doing it twice changes nothing but the time.

    The rows of a range are replaced in one transaction: a list never shows two moments.
    """
    now, written = timezone.now(), 0
    functions = list(Function.objects.defer("raw", "tags", "environment_names").order_by("pk"))
    for name in names:
        label, length = PRESETS[name]
        period = TimeRange(now - length, now, name, label)
        parts = (functions[start : start + AT_ONCE] for start in range(0, len(functions), AT_ONCE))
        rows = [_row(entry, name, now) for part in parts for entry in summed(part, period) if _measured(entry)]
        with transaction.atomic():
            FunctionStanding.objects.select_for_update().filter(range=name).delete()
            FunctionStanding.objects.bulk_create(rows, batch_size=1000)
        written += len(rows)
    return written


def ageing(names: Iterable[str]) -> list[str]:
    """Those of these ranges whose sums are missing, or half as old as they may be at most."""
    oldest = FunctionStanding.objects.order_by().values("range").annotate(oldest=Min("as_of"))
    seen = dict(oldest.values_list("range", "oldest"))
    now = timezone.now()
    return [name for name in names if name not in seen or now - seen[name] > OLDEST[name] / 2]


def _measured(entry: FunctionFacts) -> bool:
    return entry.invocations is not None or entry.before_invocations is not None


def _row(entry: FunctionFacts, name: str, now: datetime) -> FunctionStanding:
    return FunctionStanding(
        function=entry.function, range=name, as_of=now, invocations=entry.invocations or 0, errors=entry.errors or 0,
        timeouts=entry.timeouts or 0, cold_starts=entry.cold_starts or 0, max_memory_mb=entry.max_memory_mb or 0,
        cost=entry.cost,
        throttles=entry.throttles, from_metrics=entry.from_metrics, spark=entry.spark, sample=entry.sample,
        before_invocations=entry.before_invocations,
        before_errors=entry.before_errors, before_timeouts=entry.before_timeouts, before_cost=entry.before_cost,
        **entry.percentiles,
    )  # fmt: skip
