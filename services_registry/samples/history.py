"""Ninety days of made-up rollups for the sample fleet: labelled as sample, never mixed with measured ones."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeVar

from django.utils import timezone

from services_registry.choices import Origin
from services_registry.models import Function, FunctionDay, FunctionHour
from services_registry.models.telemetry import RollupFields
from services_registry.samples.fleet import SEED, FleetFunction
from services_registry.telemetry.histogram import Histogram, bucket_of, decode, encode
from services_registry.telemetry.rollups import SUMS, Sums, pour_both

DAYS = 90
HOURLY_DAYS = 8  # as many as charts show by hour; those of longer ranges read days
_WEEK = (1.0, 1.08, 1.05, 1.1, 1.2, 0.45, 0.3)  # Monday to Sunday
_DAY = [0.2] * 6 + [0.6, 1.0, 1.6, 1.9, 1.9, 1.7, 1.4, 1.5, 1.8, 1.9, 1.8, 1.5, 1.1, 0.8, 0.6, 0.5, 0.4, 0.3]
_SPREAD = [math.exp(0.55 * z) for z in (-1.6, -1.0, -0.6, -0.3, 0.0, 0.2, 0.5, 0.9, 1.4, 2.2)]
RollupT = TypeVar("RollupT", bound=RollupFields)


def write_history(functions: dict[str, Function], fleet: list[FleetFunction], *, until: date | None = None) -> int:
    """Write sample days and hours for functions that have none yet; returns the number of rows written."""
    until = until or timezone.now().date()
    done = set(
        FunctionDay.objects.filter(origin=Origin.SAMPLE).order_by().values_list("function_id", flat=True).distinct()
    )
    wanted = [(functions[f.name], f) for f in fleet if f.name in functions and functions[f.name].pk not in done]
    days = [row for function, shape in wanted for row in _days(function, shape, until)]
    hours = [row for function, shape in wanted for row in _hours(function, shape, until)]
    by_hour = {(row.function_id, row.hour): _sums(row) for row in hours}
    by_day = {(row.function_id, row.day): _sums(row) for row in days}
    pour_both(by_hour, by_day, timezone.now(), origin=Origin.SAMPLE)
    return len(days) + len(hours)


def _sums(row: RollupFields) -> Sums:
    numbers = {name: getattr(row, name) for name in SUMS}
    return Sums(**numbers, max_memory_mb=row.max_memory_mb, histogram=decode(row.histogram))


def _days(function: Function, shape: FleetFunction, until: date) -> Iterator[FunctionDay]:
    dice = random.Random(f"{SEED}-{shape.name}-days")  # noqa: S311  # made-up data
    for back in range(DAYS, 0, -1):
        day = until - timedelta(days=back)
        calls = round(shape.calls_per_day * _WEEK[day.weekday()] * dice.uniform(0.85, 1.15))
        if calls:
            row = FunctionDay(function=function, day=day, origin=Origin.SAMPLE)
            yield _filled(row, function, shape, calls, dice)


def _hours(function: Function, shape: FleetFunction, until: date) -> Iterator[FunctionHour]:
    dice = random.Random(f"{SEED}-{shape.name}-hours")  # noqa: S311  # made-up data
    for back in range(HOURLY_DAYS, 0, -1):
        day = until - timedelta(days=back)
        for hour in range(24):
            share = _DAY[hour] / sum(_DAY)
            calls = round(shape.calls_per_day * _WEEK[day.weekday()] * share * dice.uniform(0.7, 1.3))
            if calls:
                start = datetime.combine(day, time(hour), UTC)
                row = FunctionHour(function=function, hour=start, origin=Origin.SAMPLE)
                yield _filled(row, function, shape, calls, dice)


def _filled(row: RollupT, function: Function, shape: FleetFunction, calls: int, dice: random.Random) -> RollupT:
    timeouts = _share(dice, calls, shape.timeout_share)
    row.invocations = calls
    row.timeouts = timeouts
    row.errors = min(calls, timeouts + _share(dice, calls, shape.error_share))
    row.cold_starts = min(calls, max(1, _share(dice, calls, shape.cold_share)))
    histogram = _durations(shape, calls - timeouts, dice)
    limit = function.timeout_s * 1000
    if timeouts:
        histogram[bucket_of(limit)] += timeouts
    row.duration_ms = shape.typical_ms * 1.17 * (calls - timeouts) + float(limit * timeouts)
    row.init_ms = shape.init_ms * row.cold_starts
    row.billed_ms = math.ceil(row.duration_ms + row.init_ms)
    row.billed_mb_ms = Decimal(row.billed_ms * function.memory_mb)
    row.max_memory_mb = round(function.memory_mb * dice.uniform(0.35, 0.9))
    row.histogram = encode(histogram)
    return row


def _share(dice: random.Random, calls: int, share: float) -> int:
    whole = calls * share
    return int(whole) + (dice.random() < whole % 1)


def _durations(shape: FleetFunction, calls: int, dice: random.Random) -> Histogram:
    histogram: Histogram = Counter()
    if calls <= 0:
        return histogram
    drift = dice.uniform(0.9, 1.1)
    per_point, rest = divmod(calls, len(_SPREAD))
    for position, factor in enumerate(_SPREAD):
        count = per_point + (position < rest)
        if count:
            histogram[bucket_of(shape.typical_ms * factor * drift)] += count
    return histogram
