"""What bills say of one month, by service and day. Beside the estimates, never added to them; each currency by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from core import charts
from costs.billed import Asked, Billed, billed
from costs.estimate import exact_sum
from costs.forecast import month_end
from costs.sums import month_before, same_day_before

DAY = timedelta(days=1)
MOST_NAMES = 4
Sums = dict[date, Decimal]


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """One service in one currency; `before`: the same days of the month before."""

    service: str
    currency: str
    cost: Decimal
    before: Decimal
    share: float | None

    @property
    def change(self) -> float | None:
        return float((self.cost - self.before) / self.before) if self.before else None


@dataclass(slots=True)
class BilledMonthly:
    """One month up to `last`, the last day of it that any bill tells of."""

    month: date
    last: date
    totals: dict[str, Decimal]
    lines: list[ServiceLine]
    estimated: bool
    days: dict[tuple[str, str], Sums] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return self.last == month_end(self.month)

    @property
    def currency(self) -> str:
        """The one with the most money in it."""
        return max(self.totals, key=lambda currency: self.totals[currency])


def billed_month(month: date) -> BilledMonthly | None:
    """None when no bill of the month was taken in. Two queries."""
    groups = billed(Asked(month_before(month), month_end(month) + DAY, by=("day", "service")))
    mine = [group for group in groups if group.values[0] >= month]
    if not mine:
        return None
    last = max(group.values[0] for group in mine)
    until = month_end(month_before(month)) if last == month_end(month) else same_day_before(last)
    here, before = _by_service(mine), _by_service(group for group in groups if group.values[0] <= until)
    totals: dict[str, Decimal] = {}
    for (_service, currency), days in here.items():
        totals[currency] = exact_sum([totals.get(currency), *days.values()])
    lines = []
    for (service, currency), days in here.items():
        cost, earlier = exact_sum(days.values()), exact_sum(before.get((service, currency), {}).values())
        whole = totals[currency]
        lines.append(ServiceLine(service, currency, cost, earlier, float(cost / whole) if whole else None))
    ranked = sorted(lines, key=lambda line: (line.currency, -line.cost, line.service))
    return BilledMonthly(month, last, dict(sorted(totals.items())), ranked, any(one.estimated for one in mine), here)


def _by_service(groups: Iterable[Billed]) -> dict[tuple[str, str], Sums]:
    found: defaultdict[tuple[str, str], Sums] = defaultdict(dict)
    for group in groups:
        day, service = group.values
        found[service, group.currency][day] = exact_sum([found[service, group.currency].get(day), group.cost])
    return dict(found)


def billed_figure(shown: BilledMonthly) -> charts.Figure | None:
    """Each billed day by service, in the currency with the most money."""
    currency = shown.currency
    names = [line.service for line in shown.lines if line.currency == currency]
    axis = [shown.month + DAY * step for step in range((shown.last - shown.month).days + 1)]
    series: dict[str, list[float | None]] = {}
    for name in names[:MOST_NAMES]:
        days = shown.days[name, currency]
        series[name or "–"] = [_drawn(days.get(day)) for day in axis]
    if rest := names[MOST_NAMES:]:
        sums = (exact_sum(shown.days[name, currency].get(day) for name in rest) for day in axis)
        series["other"] = [_drawn(total) for total in sums]
    return charts.bars(axis, series, y_title=currency)


def _drawn(value: Decimal | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def usage_types(month: date, service: str) -> list[Billed]:
    """The lines behind a service of a month: by usage type, region and account, the dearest first. Two queries."""
    asked = Asked(
        month,
        month_end(month) + DAY,
        by=("usage_type", "region", "account", "charge_category"),
        where={"service": service},
    )
    return billed(asked)
