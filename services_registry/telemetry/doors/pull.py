"""The hourly pull from CloudWatch Logs, for functions whose lines do not come in by a subscription.

A function's log is read from where the last pull ended, minus an overlap for events that CloudWatch made visible late;
what is read twice counts once. A function whose lines came by Firehose within the last day is left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from core.aws.errors import AwsError, AwsNotFound
from core.aws.logs import pull_events
from services_registry.choices import Door
from services_registry.models import Function, InvocationReport, LogPosition
from services_registry.registry.places import access_to
from services_registry.telemetry.finder import GROUP_PREFIX
from services_registry.telemetry.ingest import Counts, ingest_events
from services_registry.telemetry.sources import Event

logger = logging.getLogger(__name__)

OVERLAP: Final = timedelta(minutes=15)
FIRST_LOOK: Final = timedelta(days=1)
MOST_EVENTS: Final = 50_000
"""In one pull of one function; the position then stands at the last event read and the next pull goes on there."""
FED: Final = timedelta(days=1)
# What completes a report, and starts, which name the function in JSON logs.
PATTERN: Final = '?"REPORT RequestId" ?"platform.report" ?"Task timed out" ?"Runtime exited" ?"platform.start"'


def pull_all() -> int:
    """Read the logs of all functions that are not fed otherwise; returns how many were read. Slow ones stop no other."""
    done = 0
    for function in due().iterator():
        pull_function(function)
        done += 1
    return done


def due() -> QuerySet[Function]:
    """Functions that exist, are no sample data, and whose lines did not come by Firehose lately."""
    fed = InvocationReport.objects.filter(
        door=Door.FIREHOSE, received__gte=timezone.now() - FED, at__gte=timezone.now() - 2 * FED
    )
    real = Function.objects.filter(gone__isnull=True, sample=False).exclude(arn__startswith="local:")
    return real.exclude(pk__in=fed.values("function_id")).order_by("log_position__checked", "pk")


def pull_function(function: Function) -> Counts:
    """Read one log from its position to now. A log that cannot be read is noted on the position; nothing is raised."""
    now = timezone.now()
    position, _new = LogPosition.objects.get_or_create(function=function, defaults={"until": now - FIRST_LOOK})
    reading = _Reading(function, position.until - OVERLAP, now)
    position.problem, position.checked = "", now
    try:
        counts = ingest_events(reading.events(), door=Door.PULL, source=reading.group)
    except AwsError as error:
        # A function that has never run has no log group; that is no problem.
        position.problem = "" if isinstance(error, AwsNotFound) else str(error)[:300]
        position.save(update_fields=["problem", "checked"])
        return Counts()
    # Not done: go on at the last event itself, or a busy log would be read from its overlap again and again.
    position.until = reading.last + OVERLAP if reading.read >= MOST_EVENTS else now
    position.save(update_fields=["until", "problem", "checked"])
    return counts


class _Reading:
    """One stretch of one log, and how far it came."""

    def __init__(self, function: Function, start: datetime, end: datetime) -> None:
        self.function, self.start, self.end = function, start, end
        self.group = function.log_group or f"{GROUP_PREFIX}{function.name}"
        self.read, self.last = 0, start

    def events(self) -> Iterator[Event]:
        for event in pull_events(
            self.group, start=self.start, end=self.end, region=self.function.region, pattern=PATTERN,
            limit=MOST_EVENTS, access=access_to(self.function),
        ):  # fmt: skip
            self.read += 1
            self.last = max(self.last, event.at)
            yield Event(event.message, event.at, self.group, event.stream, self.function.account)
