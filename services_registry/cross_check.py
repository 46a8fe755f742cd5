"""What the telemetry page and its API show of the check against CloudWatch, of the hot set and of our own calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Abs, Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.aws_calls.spending import OperationCost, Pace, costs_of_month, pace
from core.timerange import TimeRange
from services_registry.function_metrics import last_minutes
from services_registry.models import Function, HotFunction, MetricDay, MetricPlace
from services_registry.telemetry.metrics.check import EVERY, MINUTES_EVERY
from services_registry.telemetry.metrics.hot import hot_ids

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

MOST_DAYS = timedelta(days=31)
SHOWN = 25
SHOWN_OPERATIONS = 12


@dataclass(frozen=True, slots=True)
class Compared:
    """One function's day by both counts. `ours` None: no line came in at all."""

    row: MetricDay

    @property
    def difference(self) -> int | None:
        """Ours minus CloudWatch's."""
        return None if self.row.ours is None else self.row.ours - self.row.invocations

    @property
    def share(self) -> float | None:
        """The difference as a part of CloudWatch's count; None where that is zero or there is nothing to compare."""
        return None if self.difference is None or not self.row.invocations else self.difference / self.row.invocations

    @property
    def state(self) -> tuple[_StrOrPromise, str]:
        if self.difference is None:
            return _("metrics only"), "secondary"
        if self.difference == 0:
            return _("agree"), "green"
        return (_("lines missing"), "yellow") if self.difference < 0 else (_("more lines"), "yellow")


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """Days of functions by both counts, the worst first, and how many there are of which kind."""

    rows: list[Compared]
    compared: int
    agreeing: int
    metrics_only: int
    theirs: int
    ours: int
    places: list[MetricPlace]

    @property
    def differing(self) -> int:
        return self.compared - self.agreeing - self.metrics_only


@dataclass(frozen=True, slots=True)
class Hot:
    """One function that is read by the minute, and its last hour."""

    function: Function
    until: datetime | None
    by: str
    minutes: Sequence[dict[str, Any]]

    @property
    def calls(self) -> list[int]:
        return [row["invocations"] for row in self.minutes]

    @property
    def at_once(self) -> list[int]:
        return [row["concurrency"] or 0 for row in self.minutes]


def cross_check(period: TimeRange) -> CrossCheck:
    """The UTC days of a range, the last 31 of them at most."""
    start = max(period.start, period.end - MOST_DAYS).astimezone(UTC).date()
    last = (period.end - timedelta(microseconds=1)).astimezone(UTC).date()
    days = MetricDay.objects.filter(day__gte=start, day__lte=last).annotate(
        gap=Abs(F("invocations") - Coalesce(F("ours"), 0))
    )
    sums = days.aggregate(
        compared=Count("pk"), agreeing=Count("pk", filter=Q(ours=F("invocations"))),
        metrics_only=Count("pk", filter=Q(ours=None)), theirs=Sum("invocations"), ours=Sum("ours"),
    )  # fmt: skip
    unequal = days.exclude(ours=F("invocations"), ours__isnull=False).select_related("function")
    rows = [Compared(row) for row in unequal.order_by("-gap", "-day", "function_id")[:SHOWN]]
    places = list(MetricPlace.objects.all()[:SHOWN])
    return CrossCheck(rows, places=places, **{name: value or 0 for name, value in sums.items()})


def hot_functions() -> list[Hot]:
    """The hot set by name."""
    functions = Function.objects.filter(pk__in=hot_ids()).only("name").order_by("name")
    marks = {row.function_id: row for row in HotFunction.objects.filter(until__gt=timezone.now())}
    minutes = last_minutes([function.pk for function in functions], timezone.now())
    return [
        Hot(
            function,
            marks[function.pk].until if function.pk in marks else None,
            marks[function.pk].marked_by_name if function.pk in marks else "",
            minutes.get(function.pk, []),
        )
        for function in functions
    ]


@dataclass(frozen=True, slots=True)
class OwnCalls:
    """What our own calls of this month come to, and what the budget makes of it."""

    pace: Pace
    operations: list[OperationCost]
    hourly: _StrOrPromise
    by_minute: _StrOrPromise


def own_calls() -> OwnCalls:
    operations = costs_of_month()
    speed = pace(spent=operations)
    off = _("switched off (METRIC_CHECKS)")
    hourly, by_minute = (speed.words(every) if settings.METRIC_CHECKS else off for every in (EVERY, MINUTES_EVERY))
    return OwnCalls(speed, operations[:SHOWN_OPERATIONS], hourly, by_minute)
