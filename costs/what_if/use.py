"""What functions did in some whole UTC days, as far as it decides what would be cheaper.

Load is the number of calls running at once, on average over a stretch of time (running time / time; Little's law). Where hours
are kept a stretch is an hour, else a day. With calls that come independently of each other the share of a stretch with at
least one call running is 1 - exp(-load).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from services_registry.choices import Origin
from services_registry.models import Function, FunctionDay, FunctionHour
from services_registry.telemetry.histogram import merge, percentile

DAYS = 30
DAYS_OF_MONTH = Decimal(730) / 24  # AWS reckons a month as 730 hours
LEAST_CALLS = 20
"""Fewer calls say nothing."""
_SUMS = ("invocations", "timeouts", "cold_starts", "duration_ms", "init_ms", "billed_ms", "billed_mb_ms")
_LOADS = f"""
WITH hours AS (
    SELECT function_id, (hour AT TIME ZONE 'UTC')::date AS day, sum(duration_ms + init_ms) / 3600000 AS load
      FROM {FunctionHour._meta.db_table}
     WHERE function_id = ANY(%(ids)s) AND hour >= %(start)s AND hour < %(end)s GROUP BY function_id, hour),
kept AS (SELECT DISTINCT function_id, day FROM hours),
days AS (
    SELECT function_id, day, sum(duration_ms + init_ms) / 86400000 AS load
      FROM {FunctionDay._meta.db_table}
     WHERE function_id = ANY(%(ids)s) AND day >= %(first)s AND day <= %(last)s GROUP BY function_id, day),
stretches AS (
    SELECT function_id, load, 1 AS hours FROM hours
    UNION ALL
    SELECT function_id, load, 24 FROM days WHERE (function_id, day) NOT IN (SELECT function_id, day FROM kept))
SELECT function_id, sum(hours * (1 - exp(-least(load, 500)))), max(load) FROM stretches GROUP BY function_id
"""  # noqa: S608  # names of ours


@dataclass(frozen=True, slots=True)
class Use:
    """`days`: from the first day with calls to the last day looked at. Times in ms."""

    function: Function
    first: date
    last: date
    days: int
    calls: int
    timeouts: int
    cold_starts: int
    duration_ms: float
    init_ms: float
    billed_ms: int
    billed_mb_ms: Decimal
    max_memory_mb: int
    p95_ms: float | None
    busy_hours: float
    peak_load: float
    sample: bool

    @property
    def calls_per_day(self) -> float:
        return self.calls / self.days

    @property
    def busy_share(self) -> float:
        """Of the time, with at least one call running."""
        return min(1.0, self.busy_hours / (self.days * 24))

    @property
    def cold_share(self) -> float:
        return self.cold_starts / self.calls

    @property
    def load(self) -> float:
        """Calls running at once, on average; without INIT, which a server does once."""
        return self.duration_ms / (self.days * 86_400_000)

    @property
    def memory_mb(self) -> Decimal:
        """Configured, on average over what was billed: it may have been changed meanwhile."""
        return self.billed_mb_ms / self.billed_ms if self.billed_ms else Decimal(self.function.memory_mb)

    @property
    def used_mb(self) -> int:
        """The most that a call was seen to use; all that it has where that is not known."""
        return self.max_memory_mb or self.function.memory_mb

    @property
    def per_month(self) -> Decimal:
        """What sums of these days are multiplied with for a month."""
        return DAYS_OF_MONTH / self.days


def window(days: int, today: date) -> tuple[date, date]:
    """The last whole UTC days."""
    return today - timedelta(days=days), today - timedelta(days=1)


def uses_of(functions: Iterable[Function], first: date, last: date) -> dict[int, Use]:
    """By function, those that were called in these days. Two queries."""
    known = {function.pk: function for function in functions}
    loads = _loads(list(known), first, last)
    sums: dict[int, dict[str, Any]] = {}
    columns = ("function_id", "day", "origin", "max_memory_mb", "histogram", *_SUMS)
    rows = FunctionDay.objects.filter(function__in=list(known), day__range=(first, last), invocations__gt=0)
    for row in rows.order_by("day").values(*columns):
        into = sums.setdefault(
            row["function_id"], {"begun": row["day"], "memory": 0, "histograms": [], "sample": False}
        )
        for name in _SUMS:
            into[name] = into.get(name, 0) + row[name]
        into["memory"] = max(into["memory"], row["max_memory_mb"])
        into["histograms"].append(row["histogram"])
        into["sample"] = into["sample"] or row["origin"] == Origin.SAMPLE
    return {pk: _use(known[pk], first, last, found, loads.get(pk, (0.0, 0.0))) for pk, found in sums.items()}


def use_of(function: Function, first: date, last: date) -> Use | None:
    return uses_of([function], first, last).get(function.pk)


def _use(function: Function, first: date, last: date, found: dict[str, Any], load: tuple[float, float]) -> Use:
    facts = {name: found[name] for name in _SUMS if name != "invocations"}
    return Use(
        function=function, first=first, last=last, days=(last - found["begun"]).days + 1, calls=found["invocations"],
        max_memory_mb=found["memory"], p95_ms=percentile(merge(found["histograms"]), 0.95), busy_hours=load[0],
        peak_load=load[1], sample=found["sample"], **facts,
    )  # fmt: skip


def _loads(ids: list[int], first: date, last: date) -> dict[int, tuple[float, float]]:
    """(hours with at least one call running, highest load) by function."""
    start, end = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
    with connection.cursor() as cursor:
        cursor.execute(_LOADS, {"ids": ids, "start": start, "end": end, "first": first, "last": last})
        return {pk: (float(busy), float(peak)) for pk, busy, peak in cursor.fetchall()}
