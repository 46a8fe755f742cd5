"""Looks at days: what cost far more or less than usual, what changed, and who is told. Harmless to repeat."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Min
from django.db.models.functions import Coalesce

from costs.anomalies.band import FEWEST, Band, band_of, same_weekdays
from costs.anomalies.bills import look_at_bills
from costs.anomalies.kept import keep
from costs.anomalies.parts import DayUse, Prices, decompose
from costs.anomalies.telling import tell_of
from costs.budgets.choices import Basis
from costs.choices import Meter
from costs.estimate import EXACT, PriceBook, exact_sum
from costs.estimate.past import PastFacts
from costs.models import CostAnomaly
from services_registry.choices import Origin
from services_registry.models import Function, FunctionDay, FunctionRevision
from services_registry.pricing import Usage, tmp_mb_ms

DAYS_BACK = 3
"""Late lines change finished days: these are looked at again."""
PAST_DAYS = 56
COLUMNS = (
    "function_id", "day", "origin", "invocations", "errors", "timeouts", "cold_starts", "init_ms", "billed_ms", "billed_mb_ms",
)  # fmt: skip


def least_usd() -> Decimal:
    """Differences below that are not worth anybody's time."""
    return Decimal(settings.COST_ANOMALY_USD)


@transaction.atomic
def look(today: date) -> list[CostAnomaly]:
    """Look at today so far (for what is too much already) and at the days before it; the anomalies that are new."""
    new = [found for back in range(DAYS_BACK + 1) for found in look_at(today - timedelta(days=back), today)]
    new += look_at_bills(today, least_usd())
    tell_of(new)
    return new


@transaction.atomic
def look_at(day: date, today: date) -> list[CostAnomaly]:
    """One day of all functions: what is unusual is kept, with the present numbers. Returns the new ones."""
    seen, unusual, usual = _Days(day), [], set()
    known = CostAnomaly.objects.filter(day=day, basis=Basis.ESTIMATED, function__isnull=False)
    for function_id in {*seen.of_day(), *known.values_list("function_id", flat=True)}:
        band, cost = seen.band(function_id), seen.cost(function_id, day)
        if cost is None or band is None:
            continue
        if cost > band.high if day >= today else band.unusual(cost):
            unusual.append(seen.anomaly(function_id, band, cost))
        else:
            usual.add((function_id, "", "USD"))
    return keep(day, Basis.ESTIMATED, unusual, usual)


class _Days:
    """What all functions did on a day and on the days it is compared with. Three queries, one more for young functions."""

    def __init__(self, day: date) -> None:
        self.day, self.book, self.least = day, PriceBook(), least_usd()
        self.past = PastFacts(day - timedelta(days=PAST_DAYS + 1))
        self.functions = Function.objects.defer("raw", "tags", "layers", "environment_names").in_bulk()
        self.rows: defaultdict[int, dict[date, list[tuple[Any, ...]]]] = defaultdict(dict)
        self._read(FunctionDay.objects.filter(day__in=[day, *same_weekdays(day)]))
        self.begun = self._begun()
        young = [pk for pk in self.of_day() if self._whole_weeks(pk) < FEWEST and pk in self.begun]
        if young:
            before = (day - timedelta(days=PAST_DAYS), day - timedelta(days=1))
            self._read(FunctionDay.objects.filter(day__range=before, function__in=young))
        self.young = set(young)

    def _read(self, rows: Any) -> None:
        for row in rows.values_list(*COLUMNS):
            there = self.rows[row[0]].setdefault(row[1], [])
            if row not in there:
                there.append(row)

    def _begun(self) -> dict[int, date]:
        """The first day of each function within the past that counts."""
        past = FunctionDay.objects.filter(
            day__range=(self.day - timedelta(days=PAST_DAYS), self.day - timedelta(days=1))
        )
        return dict(past.order_by().values_list("function_id").annotate(Min("day")))

    def _whole_weeks(self, pk: int) -> int:
        return (self.day - self.begun.get(pk, self.day)).days // 7

    def of_day(self) -> list[int]:
        return [pk for pk, days in self.rows.items() if self.day in days]

    def cost(self, pk: int, day: date) -> Decimal | None:
        """None when a price is missing; nothing done is nothing spent."""
        function, costs = self.functions[pk], []
        for row in self.rows[pk].get(day, ()):
            tmp = tmp_mb_ms(self.past.on(function, "ephemeral_mb", day), row[8])
            architecture = self.past.on(function, "architecture", day)
            cost = self.book.cost(Usage(function.region, architecture, day, row[3], row[9], tmp))
            if cost is None:
                return None
            costs.append(cost)
        return exact_sum(costs)

    def band(self, pk: int) -> Band | None:
        """None for a function that is too young to say what is usual."""
        begun = self.begun.get(pk)
        if begun is None:
            return band_of({}, self.least)
        days = [day for day in same_weekdays(self.day) if day >= begun]
        if pk in self.young:
            days = [self.day - timedelta(days=back) for back in range(1, (self.day - begun).days + 1)]
            if len(days) < 7:
                return None
        costs = {day: cost for day in days if (cost := self.cost(pk, day)) is not None}
        return band_of(costs, self.least) if len(costs) == len(days) else None

    def use(self, pk: int, day: date) -> DayUse:
        rows = self.rows[pk].get(day, [])
        sums = [exact_sum(Decimal(str(row[place])) for row in rows) for place in (3, 4, 5, 7, 8, 9)]
        ephemeral = self.past.on(self.functions[pk], "ephemeral_mb", day)
        return DayUse(*[*sums, tmp_mb_ms(ephemeral, int(sums[4]))])

    def prices(self, pk: int, day: date) -> Prices:
        function = self.functions[pk]
        architecture = self.past.on(function, "architecture", day)
        meters = (Meter.REQUEST, Meter.GB_SECOND, Meter.EPHEMERAL_GB_SECOND)
        return Prices(*(self.book.usd(function.region, meter, architecture, day) or Decimal(0) for meter in meters))

    def anomaly(self, pk: int, band: Band, cost: Decimal) -> CostAnomaly:
        function = self.functions[pk]
        day, usual = self.use(pk, self.day), DayUse.mean([self.use(pk, one) for one in band.days])
        delta = EXACT.subtract(cost, band.expected)
        then = self.prices(pk, max(band.days, default=self.day))
        parts = decompose(
            day, usual, delta=delta, expected=band.expected, now=self.prices(pk, self.day), then=then,
            timeout_ms=function.timeout_s * 1000,
        )  # fmt: skip
        rows = self.rows[pk].get(self.day, ())
        return CostAnomaly(
            day=self.day, function=function, actual=cost, expected=band.expected, low=band.low, high=band.high,
            delta=delta, days=len(band.days), parts=[{"name": name, "amount": f"{part:f}"} for name, part in parts.items()],
            facts=_facts(day, usual), revision=_revision(pk, self.day), sample=any(row[2] == Origin.SAMPLE for row in rows),
        )  # fmt: skip


def _facts(day: DayUse, usual: DayUse) -> dict[str, list[float]]:
    """[usual, this day] of what the parts rest on."""
    pairs = {
        "calls": (usual.invocations, day.invocations), "failed": (usual.errors, day.errors),
        "timeouts": (usual.timeouts, day.timeouts), "ms_per_call": (usual.ms, day.ms), "memory_mb": (usual.mb, day.mb),
    }  # fmt: skip
    return {name: [round(float(before), 2), round(float(now), 2)] for name, (before, now) in pairs.items()}


def _revision(function_id: int, day: date) -> FunctionRevision | None:
    """The last change of that day or the day before it."""
    start = datetime.combine(day - timedelta(days=1), time(), UTC)
    revisions = FunctionRevision.objects.annotate(at=Coalesce("changed", "seen")).exclude(changes={})
    return (
        revisions.filter(function=function_id, at__gte=start, at__lt=start + timedelta(days=2)).order_by("-at").first()
    )
