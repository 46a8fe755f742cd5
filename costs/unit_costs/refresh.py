"""Keeping the counted days and weeks up. Counting again what did not change gives the same rows; two at once wait."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

from django.db.models import Sum
from django.utils import timezone

from costs.alone import Work, alone
from costs.choices import Step, UnitPart
from costs.models import UnitBatch, UnitCost, UnitDay
from costs.unit_costs.reading import monday_of
from costs.unit_costs.rest import rest_of
from costs.unit_costs.shares import Added, added_up
from services_registry.models import Batch, FunctionDay

A_WEEK = timedelta(days=7)
LONGEST = timedelta(days=800)
"""How far back counting begins by itself; pages show no longer ranges."""
SETTLED_AFTER = timedelta(hours=2)
"""So long after its end a day is counted with today: answers and log lines come in late."""


def refresh(now: datetime | None = None) -> list[date]:
    """Count today, yesterday while it may still change, and every day that was never counted. Returns the days."""
    moment = (now or timezone.now()).astimezone(UTC)
    first = min(_next_uncounted(moment), (moment - SETTLED_AFTER).date())
    days = _days(first, moment.date())
    for day in days:
        _count_day(day, moment)
    for monday in _mondays(days):
        if _is_behind(monday):
            _count_week(monday)
    return days


def count(first: date, last: date, *, now: datetime | None = None) -> list[date]:
    """Count UTC days anew, and the weeks they lie in; each day and each week in a transaction of its own."""
    moment = now or timezone.now()
    days = _days(first, last)
    for day in days:
        _count_day(day, moment)
    for monday in _mondays(days):
        _count_week(monday)
    return days


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=step) for step in range((last - first).days + 1)]


def _mondays(days: Iterable[date]) -> list[date]:
    return sorted({monday_of(day) for day in days})


def _is_behind(monday: date) -> bool:
    """Whether the days of a week have other sums than the week: its invocations need not be read when nothing was done."""
    rows = UnitCost.objects.filter(part=UnitPart.ALL, start__range=(monday, monday + A_WEEK - timedelta(days=1)))
    sums = [Sum(name) for name in ("items", "other_items", "usd", "other_usd")]
    days, week = (rows.filter(step=step).aggregate(*sums) for step in (Step.DAY, Step.WEEK))
    return days != week


def _next_uncounted(now: datetime) -> date:
    """The last counted day, for it was not over then; the first day there is anything of, when none was counted."""
    newest = UnitDay.objects.order_by("-day").values_list("day", flat=True).first()
    return newest or max(_first_day(now), (now - LONGEST).date())


def _first_day(now: datetime) -> date:
    batch = Batch.objects.order_by("created").values_list("created", flat=True).first()
    measured = FunctionDay.objects.order_by("day").values_list("day", flat=True).first()
    begun = [batch.astimezone(UTC).date()] if batch else []
    return min([*begun, *([measured] if measured else [])], default=now.date())


def _count_day(day: date, now: datetime) -> None:
    with alone(Work.UNIT_COSTS):
        UnitBatch.objects.filter(day=day).delete()
        UnitCost.objects.filter(step=Step.DAY, start=day).delete()
        sums = list(added_up(day, day))
        UnitBatch.objects.bulk_create(
            (
                UnitBatch(day=day, batch_id=row.batch, carrier_id=row.carrier, **row.work)
                for row in sums
                if row.part is None and row.batch is not None
            ),
            batch_size=1_000,
        )
        UnitCost.objects.bulk_create(_rows(Step.DAY, day, sums))
        rest = asdict(rest_of(day, day)[day])
        UnitDay.objects.update_or_create(day=day, defaults={**rest, "as_of": now})


def _count_week(monday: date) -> None:
    """Deliveries are counted anew, for one may be worked on on several days of the week."""
    with alone(Work.UNIT_COSTS):
        UnitCost.objects.filter(step=Step.WEEK, start=monday).delete()
        UnitCost.objects.bulk_create(_rows(Step.WEEK, monday, added_up(monday, monday + A_WEEK - timedelta(days=1))))


def _rows(step: Step, start: date, sums: Iterable[Added]) -> list[UnitCost]:
    return [
        UnitCost(step=step, start=start, part=row.part, carrier_id=row.carrier, capability=row.capability, **row.work)
        for row in sums
        if row.part is not None
    ]
