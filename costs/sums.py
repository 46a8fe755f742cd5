"""Keeps estimated costs ready by day and by month: what the overview, budgets and forecasts read.

A month is made anew as a whole, in one transaction: a page never shows two moments. The current month every five minutes;
months that are missing one at a time; those that late lines can still change nightly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from costs.estimate.days import EstimatedDays
from costs.forecast import month_end
from costs.models import CostDay, CostFunctionMonth
from costs.selectors import Amount, RateBook
from services_registry.models import Function, FunctionDay

KEPT_MONTHS = 14
LATE_MONTHS = 4
"""Months that reports can still come in for (REPORT_KEY_DAYS), with some to spare."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Spent:
    """What one function cost on one day, or what one line of an account came to (no function)."""

    day: date
    account: str
    usd: Decimal | None
    function: Function | None = None
    line: str = ""
    invocations: int = 0
    sample: bool = False


def utc_today(now: datetime | None = None) -> date:
    return (now or timezone.now()).astimezone(UTC).date()


def month_of(day: date) -> date:
    return day.replace(day=1)


def month_before(month: date) -> date:
    return (month - DAY).replace(day=1)


def same_day_before(day: date) -> date:
    """The same day of the month before; its last day where it has no such day."""
    before = month_before(month_of(day))
    return min(before + (day - month_of(day)), month_end(before))


def spendings(first: date, last: date) -> Iterator[Spent]:
    """Everything that the days `first` to `last` cost: calls by day, what was kept warm, and lines of accounts."""
    estimated = EstimatedDays(first, last)
    for call in estimated.calls():
        account = call.function.account
        yield Spent(call.day, account, call.usd, call.function, "", call.invocations, call.sample)
    for warm in estimated.warm():
        yield Spent(warm.day, warm.function.account, warm.usd, warm.function)
    for line in estimated.account_lines():
        yield Spent(line.day, line.account, line.usd, None, str(line.kind))


def refresh_month(month: date, now: datetime | None = None) -> int:
    """Make the sums of one month anew; how many there are. Twice is the same as once."""
    now = now or timezone.now()
    yesterday = utc_today(now) - DAY
    last_whole = min(month_end(month), yesterday)
    made = _Month(month, last_whole)
    made.take(spendings(month, month_end(month)))
    if last_whole >= month:
        made.take_before(spendings(month_before(month), _before(last_whole)))
    with transaction.atomic():
        days = CostDay.objects.filter(day__range=(month, month_end(month)))
        days.select_for_update().order_by("pk").values_list("pk", flat=True).first()
        days.delete()
        CostFunctionMonth.objects.filter(month=month).delete()
        CostDay.objects.bulk_create(made.day_rows(now), batch_size=2000)
        CostFunctionMonth.objects.bulk_create(made.function_rows(now), batch_size=2000)
    return len(made.days) + len(made.functions)


def _before(last_whole: date) -> date:
    """The end of what a month is compared with: the whole month before, once it is over."""
    before = month_before(month_of(last_whole))
    return month_end(before) if last_whole == month_end(month_of(last_whole)) else same_day_before(last_whole)


class _Month:
    """One month being added up."""

    def __init__(self, month: date, last_whole: date) -> None:
        self.month, self.last_whole = month, last_whole
        self.per_usd = cache(RateBook().per_usd)
        self.days: defaultdict[tuple[date, str, str, str, str], Amount] = defaultdict(Amount)
        self.functions: defaultdict[int, Amount] = defaultdict(Amount)
        self.whole: defaultdict[int, Amount] = defaultdict(Amount)
        self.before: defaultdict[int, Amount] = defaultdict(Amount)
        self.invocations: defaultdict[int, int] = defaultdict(int)

    def take(self, spent: Iterable[Spent]) -> None:
        for one in spent:
            function, rate = one.function, self.per_usd(one.day)
            owner, capability = (function.owner, function.capability) if function else ("", "")
            amounts = [self.days[one.day, one.account, owner, capability, one.line]]
            if function is not None:
                amounts.append(self.functions[function.pk])
                self.invocations[function.pk] += one.invocations
                if one.day <= self.last_whole:
                    amounts.append(self.whole[function.pk])
            for amount in amounts:
                amount.add(one.usd, rate, sample=one.sample, invocations=one.invocations)

    def take_before(self, spent: Iterable[Spent]) -> None:
        for one in spent:
            if one.function is not None:
                self.before[one.function.pk].add(one.usd, None)
                self.functions[one.function.pk]

    def day_rows(self, now: datetime) -> list[CostDay]:
        return [
            CostDay(
                day=day, account=account, owner=owner, capability=capability, line=line, usd=amount.usd, eur=amount.eur,
                unpriced=amount.unpriced, sample=amount.sample, as_of=now,
            )
            for (day, account, owner, capability, line), amount in self.days.items()
        ]  # fmt: skip

    def function_rows(self, now: datetime) -> list[CostFunctionMonth]:
        return [
            CostFunctionMonth(
                function_id=pk, month=self.month, usd=amount.usd, eur=amount.eur, unpriced=amount.unpriced,
                sample=amount.sample, as_of=now, whole_usd=self.whole[pk].usd, before_usd=self.before[pk].usd,
                invocations=self.invocations[pk],
            )
            for pk, amount in self.functions.items()
        ]  # fmt: skip


def refresh(now: datetime | None = None) -> int:
    """The current month, and the latest one that has usage and no sums yet."""
    month = month_of(utc_today(now))
    written = refresh_month(month, now)
    missing = next(iter(missing_months(month)), None)
    return written + (refresh_month(missing, now) if missing else 0)


def refresh_late(now: datetime | None = None) -> int:
    """The months that late lines, prices or other owners can still have changed; nightly."""
    month, written = month_of(utc_today(now)), 0
    for _step in range(LATE_MONTHS):
        written += refresh_month(month, now)
        month = month_before(month)
    CostDay.objects.filter(day__lt=_oldest(now)).delete()
    CostFunctionMonth.objects.filter(month__lt=_oldest(now)).delete()
    return written


def missing_months(month: date) -> list[date]:
    """Months before this one, the latest first, that have usage but no sums."""
    found = []
    for _step in range(KEPT_MONTHS - 1):
        month = month_before(month)
        days = (month, month_end(month))
        if (
            FunctionDay.objects.filter(day__range=days).exists()
            and not CostFunctionMonth.objects.filter(month=month).exists()
        ):
            found.append(month)
    return found


def _oldest(now: datetime | None) -> date:
    month = month_of(utc_today(now))
    for _step in range(KEPT_MONTHS):
        month = month_before(month)
    return month


def as_of(month: date) -> datetime | None:
    """When the sums of a month were made; None: not yet."""
    moment: datetime | None = CostFunctionMonth.objects.filter(month=month).aggregate(last=Max("as_of"))["last"]
    return moment
