"""What is spent, by day and by scope, as it is kept ready; and how a budget stands against it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Q, Sum

from costs.budgets.choices import Currency, Scope, Standing
from costs.estimate import exact_sum
from costs.forecast import Forecast, forecast
from costs.models import Budget, CostDay

PAST = timedelta(days=150)
"""What forecasts look back on: 56 tries of up to 31 days ahead, each with 56 days before it."""
Days = dict[date, Decimal]


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """One budget in the month of a day. `spent` is None when amounts in its currency are not known."""

    budget: Budget
    month: date
    spent: Decimal | None
    forecast: Forecast | None

    @property
    def share(self) -> float | None:
        return None if self.spent is None else float(self.spent / self.budget.amount)

    @property
    def forecast_share(self) -> float | None:
        return float(self.forecast.total / self.budget.amount) if self.forecast else None

    @property
    def standing(self) -> Standing:
        if self.spent is None:
            return Standing.UNKNOWN
        if self.spent > self.budget.amount:
            return Standing.OVER
        likely = self.forecast is not None and self.forecast.total > self.budget.amount
        return Standing.LIKELY_OVER if likely else Standing.WITHIN


class Spending:
    """Estimated costs of the days from `first` to `today`. One query for each scope and currency asked for."""

    def __init__(self, today: date, first: date | None = None) -> None:
        self.today, self.first = today, first or today - PAST
        self._known: dict[tuple[str, str], dict[str, Days | None]] = {}

    def days(self, scope: str, key: str, currency: str) -> Days | None:
        """The cost of each day; None when a rate is missing."""
        if (scope, currency) not in self._known:
            self._known[scope, currency] = self._read(scope, "eur" if currency == Currency.EUR else "usd")
        return self._known[scope, currency].get(key, {})

    def _read(self, scope: str, amount: str) -> dict[str, Days | None]:
        by = ["day"] if scope == Scope.ALL else ["day", scope]
        rows = CostDay.objects.filter(day__range=(self.first, self.today)).order_by().values(*by)
        found: defaultdict[str, Days] = defaultdict(dict)
        unknown: set[str] = set()
        for row in rows.annotate(total=Sum(amount), without=Count("pk", filter=Q(**{amount: None}))):
            key = "" if scope == Scope.ALL else row[scope]
            if row["without"]:
                unknown.add(key)
            else:
                found[key][row["day"]] = row["total"]
        return {**found, **dict.fromkeys(unknown)}

    def of(self, budget: Budget, *, over: bool = False) -> BudgetStanding:
        """`over`: the month is; nothing is left to forecast."""
        days = self.days(budget.scope, budget.key, budget.currency)
        return standing_of(budget, days, self.today, over=over)


def standing_of(budget: Budget, days: Days | None, today: date, *, over: bool = False) -> BudgetStanding:
    month = today.replace(day=1)
    if days is None:
        return BudgetStanding(budget, month, None, None)
    spent = exact_sum(amount for day, amount in days.items() if month <= day <= today)
    return BudgetStanding(budget, month, spent, None if over else forecast(days, today))
