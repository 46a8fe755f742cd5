"""The hourly question to CloudWatch: what did it count? Asking again changes nothing but what was restated.

One question covers many hours at the price of one, so each reads the last day anew: an error carries the minute in which
its call began and appears when that ends, a quarter of an hour later.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from core.aws.errors import AwsError
from core.aws.metrics import Reading, read_metrics
from core.aws_calls.spending import Pace, pace
from services_registry.models import Function, MetricHour, MetricMinute, MetricPlace
from services_registry.registry.places import access_to
from services_registry.telemetry.metrics import hot
from services_registry.telemetry.metrics.compare import compare_days
from services_registry.telemetry.metrics.places import real_functions
from services_registry.telemetry.metrics.store import write_readings

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(hours=1)
MINUTES_EVERY: Final = timedelta(minutes=1)
OVERLAP: Final = timedelta(hours=26)
FIRST_LOOK: Final = timedelta(days=14)
MINUTES_BACK: Final = timedelta(minutes=20)
"""Longer than the longest invocation: restated minutes are read again."""
_SLACK: Final = timedelta(seconds=30)  # a schedule never comes to the second


@dataclass(frozen=True, slots=True)
class _Group:
    """The functions of one account and region, and how far their metrics were read."""

    place: MetricPlace
    functions: dict[str, Function]


def check_all(*, asked: bool = False) -> int:
    """Ask about every place whose time has come; returns how many readings came in.

    Args:
        asked: a person wants it now: whatever the time, and whatever the budget.
    """
    speed = pace()
    return sum(_check(group) for group in _groups() if asked or is_due(group.place.checked, EVERY, speed))


def watch_hot() -> int:
    """The same by the minute, for the functions that are hot."""
    wanted = hot.hot_ids()
    if not wanted:
        return 0
    speed, read = pace(), 0
    for group in _groups(Function.objects.filter(pk__in=wanted)):
        if is_due(group.place.minutes_checked, MINUTES_EVERY, speed):
            read += _watch(group)
    return read


def is_due(last: datetime | None, usual: timedelta, speed: Pace) -> bool:
    """Has the interval passed, stretched as the budget asks for?"""
    if speed.factor is None:
        return False
    return last is None or timezone.now() - last >= usual * speed.factor - _SLACK


def _groups(among: QuerySet[Function] | None = None) -> Iterator[_Group]:
    functions = real_functions()
    if among is not None:
        functions = functions.filter(pk__in=among.values("pk"))
    by_place: dict[tuple[str, str], dict[str, Function]] = {}
    for function in functions.only("name", "account", "region").order_by("pk"):
        by_place.setdefault((function.account, function.region), {})[function.name] = function
    for (account, region), members in sorted(by_place.items()):
        yield _Group(MetricPlace.objects.get_or_create(account=account, region=region)[0], members)


def _check(group: _Group) -> int:
    """Read one place. What fails is noted on the place; nothing is raised, so that others are read as well."""
    place, now = group.place, timezone.now().astimezone(UTC)
    end = now.replace(minute=0, second=0, microsecond=0)  # the current hour is not over
    start = place.until - OVERLAP if place.until else end - FIRST_LOOK
    start = start.replace(minute=0, second=0, microsecond=0)
    place.checked, place.problem = now, ""
    read = 0
    try:
        readings = _readings(group, start, end, 3600)
        read = write_readings(MetricHour, "hour", readings)
    except AwsError as error:
        place.problem = str(error)[:300]
    else:
        place.since, place.until = place.since or start, end
        compare_days([function.pk for function in group.functions.values()], max(start, place.since), place.since, end)
    place.save(update_fields=["checked", "problem", "since", "until"])
    return read


def _watch(group: _Group) -> int:
    place, now = group.place, timezone.now().astimezone(UTC)
    place.minutes_checked = now
    read = 0
    try:
        minute = now.replace(second=0, microsecond=0)
        read = write_readings(MetricMinute, "minute", _readings(group, minute - MINUTES_BACK, minute, 60))
    except AwsError as error:
        logger.warning("metrics by the minute not read place=%s error=%s", place, error)
    place.save(update_fields=["minutes_checked"])
    return read


def _readings(group: _Group, start: datetime, end: datetime, period_s: int) -> list[tuple[int, Reading]]:
    """(id of the function, reading), all of the place."""
    some = next(iter(group.functions.values()))
    return [
        (group.functions[reading.name].pk, reading)
        for reading in read_metrics(
            list(group.functions),
            start=start,
            end=end,
            period_s=period_s,
            region=group.place.region,
            access=access_to(some),
        )
    ]
