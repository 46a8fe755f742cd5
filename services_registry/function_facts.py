"""What functions came to over a time range: sums, costs, percentiles and the period before.

For the preset ranges they are read from `FunctionStanding`, which a task keeps up; for any other they are summed now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.timerange import PRESETS, TimeRange
from services_registry import pricing
from services_registry.choices import Origin
from services_registry.function_metrics import add_metrics
from services_registry.models import Function, FunctionDay, FunctionHour, FunctionStanding
from services_registry.telemetry.histogram import merge, percentile

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

EXACT = Context(prec=80)  # sums of costs are never rounded
SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
BY_HOURS = timedelta(days=2)
"""Up to this length hours are summed; whole UTC days beyond."""
SPARK_STEPS = 90
QUICK, SLOW = ("1h", "24h", "7d", "30d"), ("90d", "13m")
"""Ranges refreshed every few minutes, and every night."""
OLDEST = {name: timedelta(minutes=30) for name in QUICK} | {name: timedelta(days=2) for name in SLOW}
"""Standings that are older than this are not shown; sums are made anew then."""
HEAVY = (
    "raw", "tags", "environment_names", "layers", "vpc", "logging", "event_sources", "aliases", "async_settings",
    "provisioned", "callers", "description", "notes",
)  # fmt: skip
"""Of a function: what no list shows and reading a thousand of them need not fetch."""
_COUNTS = ("invocations", "errors", "timeouts", "cold_starts")
_BILLED = ("billed_ms", "billed_mb_ms")


@dataclass(slots=True)
class FunctionFacts:
    """One function with its sums over a range; `None` means nothing was measured, which is not zero.

    `throttles` are CloudWatch's; with `from_metrics` so are invocations and errors, because no line came in.
    """

    function: Function
    invocations: int | None = None
    errors: int | None = None
    timeouts: int | None = None
    cold_starts: int | None = None
    max_memory_mb: int | None = None
    cost: Decimal | None = None
    throttles: int | None = None
    from_metrics: bool = False
    sample: bool = False
    percentiles: dict[str, float | None] = field(default_factory=dict)
    spark: list[int | None] = field(default_factory=list)
    before_invocations: int | None = None
    before_errors: int | None = None
    before_timeouts: int | None = None
    before_cost: Decimal | None = None

    @property
    def counted_by(self) -> _StrOrPromise:
        """Where its counts come from; empty where there are none."""
        if self.invocations is None:
            return ""
        return _("CloudWatch metrics") if self.from_metrics else _("sample") if self.sample else _("REPORT lines")

    @property
    def error_share(self) -> float | None:
        return self.errors / self.invocations if self.invocations and self.errors is not None else None

    @property
    def timeout_share(self) -> float | None:
        return self.timeouts / self.invocations if self.invocations and self.timeouts is not None else None

    @property
    def cold_share(self) -> float | None:
        return self.cold_starts / self.invocations if self.invocations and self.cold_starts is not None else None

    @property
    def memory_share(self) -> float | None:
        return self.max_memory_mb / self.function.memory_mb if self.max_memory_mb else None

    @property
    def change(self) -> float | None:
        """Invocations against the period before, as a share (0.25: a quarter more); None when there were none."""
        return self.invocations / self.before_invocations - 1 if self.before_invocations and self.invocations else None


@dataclass(frozen=True, slots=True)
class Facts:
    """`rows` in the order of the functions; `as_of` is when the sums were made."""

    rows: list[FunctionFacts]
    as_of: datetime


def facts_of(functions: Sequence[Function], period: TimeRange) -> Facts:
    """Facts with percentiles and the period before. One query for a preset range, five for any other."""
    kept = _kept(period)
    if kept is not None:
        rows, as_of = kept
        return Facts([_from_standing(function, rows.get(function.pk)) for function in functions], as_of)
    return Facts(summed(functions, period), timezone.now())


def totals_of(facts: Iterable[FunctionFacts]) -> dict[str, int]:
    """The counts of all of them together."""
    totals = dict.fromkeys(_COUNTS, 0)
    for entry in facts:
        for name in _COUNTS:
            totals[name] += getattr(entry, name) or 0
    return totals


def summed(functions: Sequence[Function], period: TimeRange) -> list[FunctionFacts]:
    """The same, summed now."""
    found, earlier = sums_of(functions, period), sums_of(functions, period.before())
    add_percentiles(found, period)
    for entry, before in zip(found, earlier, strict=True):
        entry.before_invocations, entry.before_errors = before.invocations, before.errors
        entry.before_timeouts, entry.before_cost = before.timeouts, before.cost
    return found


def _kept(period: TimeRange) -> tuple[dict[int, tuple[Any, ...]], datetime] | None:
    """Standings of a preset range by function, unless they are missing or too old."""
    if period.name not in PRESETS:
        return None
    rows = FunctionStanding.objects.filter(range=period.name).order_by().values_list("function_id", "as_of", *_STORED)
    found = {row[0]: row[1:] for row in rows}
    oldest = min((row[0] for row in found.values()), default=None)
    if oldest is None or timezone.now() - oldest > OLDEST[period.name]:
        return None
    return found, oldest


_STORED = (
    *_COUNTS, "throttles", "from_metrics", "max_memory_mb", "cost", "sample", "spark", "before_invocations",
    "before_errors", "before_timeouts", "before_cost", "p50", "p95", "p99",
)  # fmt: skip


def _from_standing(function: Function, row: tuple[Any, ...] | None) -> FunctionFacts:
    if row is None:
        return FunctionFacts(function)
    stored = dict(zip(_STORED, row[1:], strict=True))
    percentiles = {name: stored.pop(name) for name, _share in SHARES}
    return FunctionFacts(function, percentiles=percentiles, **stored)


def days_of(period: TimeRange) -> Q:
    """The UTC days that a range touches."""
    return Q(day__gte=period.start.astimezone(UTC).date(), day__lte=(period.end - timedelta(microseconds=1)).date())


def _steps(period: TimeRange, functions: Iterable[Function]) -> tuple[QuerySet[Any], str]:
    """The rollups of a range and the name of their time: hours that begin in it, or the UTC days it touches."""
    if period.length <= BY_HOURS:
        start = period.start.replace(minute=0, second=0, microsecond=0)
        return FunctionHour.objects.filter(hour__gte=start, hour__lt=period.end, function__in=functions), "hour"
    return FunctionDay.objects.filter(days_of(period), function__in=functions), "day"


def sums_of(functions: Sequence[Function], period: TimeRange) -> list[FunctionFacts]:
    """Sums, costs and sparklines over a range: three queries whatever the number of functions."""
    facts = {function.pk: FunctionFacts(function) for function in functions}
    rows, at = _steps(period, functions)
    usages: list[tuple[int, pricing.Usage]] = []
    sparks: defaultdict[int, dict[Any, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows.order_by(at).values("function_id", at, "origin", "max_memory_mb", *_BILLED, *_COUNTS):
        entry = facts[row["function_id"]]
        for name in _COUNTS:
            setattr(entry, name, (getattr(entry, name) or 0) + row[name])
        entry.max_memory_mb = max(entry.max_memory_mb or 0, row["max_memory_mb"])
        entry.sample = entry.sample or row["origin"] == Origin.SAMPLE
        sparks[entry.function.pk][row[at]] += row["invocations"]
        day = row[at].astimezone(UTC).date() if at == "hour" else row[at]
        billed = [row[name] for name in _BILLED]
        usages.append((entry.function.pk, usage_of(entry.function, day, row["invocations"], *billed)))
    _add_costs(facts, usages)
    sparks.update(add_metrics(facts.values(), period, hourly=at == "hour"))
    _add_sparks(facts, sparks, period, at)
    return [facts[function.pk] for function in functions]


def add_percentiles(facts: Sequence[FunctionFacts], period: TimeRange) -> None:
    """p50, p95 and p99; histograms are merged here, in Python (5x faster than in SQL)."""
    found: defaultdict[int, list[bytes | memoryview]] = defaultdict(list)
    rows, _at = _steps(period, [entry.function for entry in facts])
    for function_id, histogram in rows.order_by().values_list("function_id", "histogram"):
        found[function_id].append(histogram)
    for entry in facts:
        merged = merge(found[entry.function.pk])
        entry.percentiles = {name: percentile(merged, share) for name, share in SHARES}


def usage_of(function: Function, day: date, requests: int, billed_ms: int, billed_mb_ms: Decimal) -> pricing.Usage:
    """What a function used on a day, as the price book wants it."""
    tmp = pricing.tmp_mb_ms(function.ephemeral_mb, billed_ms)
    return pricing.Usage(function.region, function.architecture, day, requests, billed_mb_ms, tmp)


def _add_costs(facts: dict[int, FunctionFacts], usages: list[tuple[int, pricing.Usage]]) -> None:
    for (function_id, _usage), cost in zip(usages, pricing.estimate([usage for _pk, usage in usages]), strict=True):
        if cost is not None:
            with localcontext(EXACT):
                facts[function_id].cost = (facts[function_id].cost or Decimal(0)) + cost


def _add_sparks(facts: dict[int, FunctionFacts], sparks: dict[int, dict[Any, int]], period: TimeRange, at: str) -> None:
    """At most 90 steps, the latest: hours or days."""
    step = timedelta(hours=1) if at == "hour" else timedelta(days=1)
    last: Any = (period.end - timedelta(microseconds=1)).astimezone(UTC)
    last = last.replace(minute=0, second=0, microsecond=0) if at == "hour" else last.date()
    count = max(1, min(SPARK_STEPS, -(-period.length // step)))
    times = [last - step * back for back in range(count - 1, -1, -1)]
    for function_id, values in sparks.items():
        facts[function_id].spark = [values.get(time) for time in times]
