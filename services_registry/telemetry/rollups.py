"""Hour and day sums per function, kept up from newly inserted reports only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from services_registry.choices import Origin
from services_registry.models import FunctionDay, FunctionHour, InvocationReport
from services_registry.models.telemetry import RollupFields
from services_registry.telemetry.histogram import Histogram, bucket_of, decode, encode

SUMS = ("invocations", "errors", "timeouts", "cold_starts", "duration_ms", "init_ms", "billed_ms", "billed_mb_ms")
FAILED = {"error", "timeout", "failure"}


@dataclass(slots=True)
class Sums:
    """What a set of reports adds up to."""

    invocations: int = 0
    errors: int = 0
    timeouts: int = 0
    cold_starts: int = 0
    duration_ms: float = 0.0
    init_ms: float = 0.0
    billed_ms: int = 0
    billed_mb_ms: Decimal = Decimal(0)
    max_memory_mb: int = 0
    histogram: Histogram = field(default_factory=Counter)

    def add(self, report: InvocationReport) -> None:
        self.invocations += 1
        self.errors += report.status in FAILED
        self.timeouts += report.status == "timeout"
        self.cold_starts += report.init_ms is not None
        self.duration_ms += report.duration_ms
        self.init_ms += report.init_ms or 0.0
        self.billed_ms += report.billed_ms
        self.billed_mb_ms += report.billed_ms * report.memory_mb
        self.max_memory_mb = max(self.max_memory_mb, report.max_memory_mb or 0)
        self.histogram[bucket_of(report.duration_ms)] += 1

    def pour_into(self, row: RollupFields) -> None:
        for name in SUMS:
            setattr(row, name, getattr(row, name) + getattr(self, name))
        row.max_memory_mb = max(row.max_memory_mb, self.max_memory_mb)
        row.histogram = encode(decode(row.histogram) + self.histogram)
        row.updated = timezone.now()


def add_to_rollups(reports: Iterable[InvocationReport]) -> None:
    """Add newly inserted reports to their hour and day. Call it in the transaction that inserted them."""
    hours: defaultdict[tuple[int, datetime], Sums] = defaultdict(Sums)
    days: defaultdict[tuple[int, date], Sums] = defaultdict(Sums)
    for report in reports:
        at = report.at.astimezone(UTC)
        hours[report.function_id, at.replace(minute=0, second=0, microsecond=0)].add(report)
        days[report.function_id, at.date()].add(report)
    with transaction.atomic():
        for (function_id, hour), sums in sorted(hours.items()):
            _pour_hour(function_id, hour, sums)
        for (function_id, day), sums in sorted(days.items()):
            _pour_day(function_id, day, sums)


# The row is made first and locked then, so that two writers of one hour add up instead of overwriting each other.
def _pour_hour(function_id: int, hour: datetime, sums: Sums) -> None:
    key = {"function_id": function_id, "hour": hour, "origin": Origin.REPORTS}
    FunctionHour.objects.bulk_create([FunctionHour(**key)], ignore_conflicts=True)
    row = FunctionHour.objects.select_for_update().get(**key)
    sums.pour_into(row)
    row.save()


def _pour_day(function_id: int, day: date, sums: Sums) -> None:
    key = {"function_id": function_id, "day": day, "origin": Origin.REPORTS}
    FunctionDay.objects.bulk_create([FunctionDay(**key)], ignore_conflicts=True)
    row = FunctionDay.objects.select_for_update().get(**key)
    sums.pour_into(row)
    row.save()
