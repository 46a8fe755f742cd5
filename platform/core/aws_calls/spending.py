"""What our own calls to AWS cost this month, and how much slower paid polling has to be for the budget to last."""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.audit import record
from core.aws_calls.models import SINGLETON, AwsBudget, AwsCallDay, AwsCallPrice, PaidBy

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

STEPS = ((Decimal("0.95"), 12), (Decimal("0.8"), 4), (Decimal("0.5"), 2))
"""Share of the budget that is used, and how many times longer a polling interval becomes, when spending runs ahead."""


@dataclass(frozen=True, slots=True)
class OperationCost:
    """One operation over a time. `units` are metrics or GB where it is paid by these, else requests."""

    service: str
    operation: str
    calls: int
    units: Decimal
    paid_by: str
    usd: Decimal

    @property
    def whole_units(self) -> int | Decimal:
        """Without decimals where there are none to show."""
        return int(self.units) if self.units == self.units.to_integral_value() else self.units

    @property
    def paid_by_label(self) -> _StrOrPromise:
        return PaidBy(self.paid_by).label if self.paid_by else _("free, or no price entered")


@dataclass(frozen=True, slots=True)
class Pace:
    """How polling that costs money may go on. `factor`: times its usual interval; None: it rests until next month."""

    factor: int | None
    used: Decimal
    budget: Decimal
    elapsed: Decimal
    """The part of the month that is over, 0 to 1."""

    @property
    def share(self) -> Decimal:
        """Of the budget, 0.8: four fifths are used."""
        return self.used / self.budget if self.budget else Decimal(1)

    @property
    def stopped(self) -> bool:
        return self.factor is None

    def words(self, usual: timedelta) -> _StrOrPromise:
        """One sentence for people: how often is polled, and why."""
        share, over = round(self.share * 100), round(self.elapsed * 100)
        if self.factor is None:
            return _(
                "polling rests until next month because %(share)d %% of the budget is used; “check now” still works"
            ) % {"share": share}
        if self.factor == 1:
            return _("polling every %(time)s; %(share)d %% of the month's budget is used") % {
                "time": _interval(usual), "share": share,
            }  # fmt: skip
        return _("polling every %(time)s because %(share)d %% of the budget is used and %(over)d %% of the month is over") % {
            "time": _interval(usual * self.factor), "share": share, "over": over,
        }  # fmt: skip


def costs(first: date, last: date) -> list[OperationCost]:
    """Every operation called on these UTC days, the last included; the dearest first."""
    rows = AwsCallDay.objects.filter(day__gte=first, day__lte=last)
    prices = list(AwsCallPrice.objects.order_by("valid_from"))
    found: dict[tuple[str, str], list[Any]] = defaultdict(lambda: [0, Decimal(0), "", Decimal(0)])
    for row in rows:
        price = price_of(row, prices)
        sums, units = found[row.service, row.operation], units_of(row, price)
        sums[0] += row.calls
        sums[1] += units
        if price is not None:
            sums[2], sums[3] = price.paid_by, sums[3] + units * price.usd
    listed = [OperationCost(*key, *sums) for key, sums in found.items()]
    return sorted(listed, key=lambda entry: (-entry.usd, -entry.calls, entry.service, entry.operation))


def price_of(row: AwsCallDay, prices: Iterable[AwsCallPrice]) -> AwsCallPrice | None:
    """The price that held on the row's day; `prices` oldest first. None: the operation is free."""
    held = [
        price
        for price in prices
        if price.service == row.service and price.operation in ("", row.operation) and price.valid_from <= row.day
    ]
    return max(held, key=lambda price: (price.operation != "", price.valid_from), default=None)


def units_of(row: AwsCallDay, price: AwsCallPrice | None) -> Decimal:
    """What the row is paid by: requests, or the metrics and GB it counted."""
    return Decimal(row.calls) if price is None or price.paid_by == PaidBy.REQUEST else row.units


def costs_of_month(now: datetime | None = None) -> list[OperationCost]:
    """From the first of the month (UTC) to today."""
    today = (now or timezone.now()).astimezone(UTC).date()
    return costs(today.replace(day=1), today)


def pace(now: datetime | None = None, *, spent: Iterable[OperationCost] | None = None) -> Pace:
    """How paid polling may go on now; a person's click does not ask. `spent`: the month's costs, where they are known."""
    moment = (now or timezone.now()).astimezone(UTC)
    used = sum((entry.usd for entry in (costs_of_month(moment) if spent is None else spent)), Decimal(0))
    budget = AwsBudget.current().monthly_usd
    days = calendar.monthrange(moment.year, moment.month)[1]
    elapsed = Decimal(((moment.day - 1) * 24 + moment.hour) * 60 + moment.minute) / (days * 24 * 60)
    share = used / budget if budget else Decimal(1)
    if share >= 1:
        factor = None
    elif share <= elapsed:  # it lasts as it goes
        factor = 1
    else:
        factor = next((times for step, times in STEPS if share >= step), 1)
    return Pace(factor, used, budget, elapsed)


def change_budget(monthly_usd: Decimal, *, actor: Any, source: str) -> bool:
    """Holds from the next poll on. False when it was that already."""
    with transaction.atomic():
        AwsBudget.objects.get_or_create(pk=SINGLETON)
        row = AwsBudget.objects.select_for_update().get(pk=SINGLETON)
        if row.monthly_usd == monthly_usd:
            return False
        before, row.monthly_usd = row.monthly_usd, monthly_usd
        row.save(update_fields=["monthly_usd"])
        record(
            actor=actor, verb="aws_budget.changed", target=row, source=source, summary=str(row),
            before={"monthly_usd": str(before)}, after={"monthly_usd": str(monthly_usd)},
        )  # fmt: skip
    return True


def _interval(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return _("%(n)d min") % {"n": minutes} if minutes != 1 else str(_("minute"))
    return _("%(n)d h") % {"n": minutes // 60} if minutes != 60 else str(_("hour"))
