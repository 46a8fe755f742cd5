"""Days on which a service was billed far from the usual of its weekday, taken apart by usage type. Usage alone is looked at:
taxes, credits and fees come once a month.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction

from costs.anomalies.band import FEWEST, Band, band_of, same_weekdays
from costs.anomalies.kept import keep
from costs.anomalies.parts import FINE
from costs.billed import Asked, billed, has_sample
from costs.budgets.choices import Basis
from costs.choices import ChargeCategory
from costs.estimate import EXACT, exact_sum
from costs.models import BilledDay, CostAnomaly

DAY = timedelta(days=1)
LOOKED_AT, PAST_DAYS = 3, 60
SETTLED = timedelta(days=3)
"""After so long the last day of a bill is no longer growing."""
Place = tuple[str, str]


@transaction.atomic
def look_at_bills(today: date, least: Decimal) -> list[CostAnomaly]:
    """The last whole days that bills tell of; the anomalies that are new."""
    last = (
        BilledDay.objects.filter(period__counted=True, day__lte=today)
        .order_by("-day")
        .values_list("day", flat=True)
        .first()
    )
    if last is None:
        return []
    seen = _Bills(last, least)
    newest = last if today - last >= SETTLED else last - DAY
    days = [newest - DAY * back for back in range(LOOKED_AT)]
    return [row for day in days for row in keep(day, Basis.BILLED, seen.unusual(day), seen.usual(day))]


class _Bills:
    """Usage by day, service and usage type of the last weeks. Two queries."""

    def __init__(self, last: date, least: Decimal) -> None:
        self.least = least
        self.types: defaultdict[Place, defaultdict[str, dict[date, Decimal]]] = defaultdict(lambda: defaultdict(dict))
        asked = Asked(
            last - DAY * (PAST_DAYS + LOOKED_AT), last + DAY, by=("day", "service", "usage_type"),
            where={"charge_category": ChargeCategory.USAGE},
        )  # fmt: skip
        days = set()
        for group in billed(asked):
            day, service, usage_type = group.values
            self.types[service, group.currency][usage_type][day] = group.cost
            days.add(day)
        self.begun = min(days, default=last)
        self.sample = has_sample(self.begun, last)

    def cost(self, place: Place, day: date) -> Decimal:
        return exact_sum(costs.get(day) for costs in self.types[place].values())

    def band(self, place: Place, day: date) -> Band | None:
        """None when bills do not reach back far enough to say what is usual."""
        days = [one for one in same_weekdays(day) if one >= self.begun]
        return band_of({one: self.cost(place, one) for one in days}, self.least) if len(days) >= FEWEST else None

    def unusual(self, day: date) -> list[CostAnomaly]:
        found = []
        for place in self.types:
            band, cost = self.band(place, day), self.cost(place, day)
            if band is not None and band.unusual(cost):
                found.append(self._anomaly(place, day, band, cost))
        return found

    def usual(self, day: date) -> set[tuple[int | None, str, str]]:
        """What can be said to be usual, as `keep` knows it."""
        bands = {place: self.band(place, day) for place in self.types}
        return {(None, *place) for place, band in bands.items() if band and not band.unusual(self.cost(place, day))}

    def _anomaly(self, place: Place, day: date, band: Band, cost: Decimal) -> CostAnomaly:
        delta = EXACT.subtract(cost, band.expected)
        parts = self._parts(place, day, band, delta)
        return CostAnomaly(
            day=day, basis=Basis.BILLED, service=place[0], currency=place[1], actual=cost, expected=band.expected,
            low=band.low, high=band.high, delta=delta, days=len(band.days), sample=self.sample,
            parts=[{"name": name, "amount": f"{amount:f}"} for name, amount in parts],
        )  # fmt: skip

    def _parts(self, place: Place, day: date, band: Band, delta: Decimal) -> list[tuple[str, Decimal]]:
        """Each usage type against its own mean of the same days; the largest takes what rounding leaves over."""
        parts: dict[str, Decimal] = {}
        for usage_type, costs in self.types[place].items():
            mean = EXACT.divide(exact_sum(costs.get(one) for one in band.days), Decimal(max(len(band.days), 1)))
            parts[usage_type or "–"] = EXACT.quantize(EXACT.subtract(costs.get(day, Decimal(0)), mean), FINE)
        ranked = sorted(parts.items(), key=lambda part: -abs(part[1]))
        rest = exact_sum([delta, *(EXACT.minus(amount) for _name, amount in ranked[1:])])
        return [(ranked[0][0], rest), *((name, amount) for name, amount in ranked[1:] if amount)]
