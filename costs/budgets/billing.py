"""Billed costs held against budgets: only what bills say, in the currency they say it in."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal, localcontext

from costs.billed import Asked, billed
from costs.budgets.choices import Scope
from costs.budgets.spending import PAST, BudgetStanding, Days, standing_of
from costs.estimate import EXACT
from costs.models import Budget

DAY = timedelta(days=1)
SCOPES = (Scope.ALL, Scope.ACCOUNT, Scope.CAPABILITY)
"""What bills tell apart; they know nothing of owners."""


class BilledSpending:
    """What bills say of the days up to `today`. One query for each scope that is asked for."""

    def __init__(self, today: date, first: date | None = None) -> None:
        self.today, self.first = today, first or today - PAST
        self._known: dict[str, dict[tuple[str, str], Days]] = {}

    def days(self, scope: str, key: str, currency: str) -> Days:
        if scope not in self._known:
            self._known[scope] = self._read(scope)
        return self._known[scope].get((key, currency), {})

    def _read(self, scope: str) -> dict[tuple[str, str], Days]:
        by = ("day",) if scope == Scope.ALL else ("day", scope)
        found: defaultdict[tuple[str, str], defaultdict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        with localcontext(EXACT):
            for group in billed(Asked(self.first, self.today + DAY, by=by)):
                key = "" if scope == Scope.ALL else str(group.values[1])
                found[key, group.currency][group.values[0]] += group.cost
        return {place: dict(days) for place, days in found.items()}

    def of(self, budget: Budget, *, over: bool = False) -> BudgetStanding:
        """Bills are late: the days after the last billed one are still to come, not free of charge."""
        days = self.days(budget.scope, budget.key, budget.currency)
        month = self.today.replace(day=1)
        last = max(days, default=None)
        if last is None or last < month:
            return BudgetStanding(budget, month, None, None)
        upto = self.today if over or last >= self.today else last + DAY
        return standing_of(budget, days, min(upto, self.today), over=over or upto < month)
