"""How budgets stand: estimated ones by kept sums, billed ones by bills."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from costs.budgets.billing import BilledSpending
from costs.budgets.choices import Basis
from costs.budgets.spending import BudgetStanding, Spending
from costs.models import Budget


def standings(
    budgets: Iterable[Budget], today: date, spending: Spending | None = None, *, over: bool = False
) -> list[BudgetStanding]:
    """How each of these stands on a day. One query for all estimated ones, one for each scope of billed ones.

    Args:
        spending: what was read already.
        over: the month of `today` is over; nothing is left to forecast.
    """
    bills, found = BilledSpending(today), []
    for budget in budgets:
        if budget.basis == Basis.BILLED:
            found.append(bills.of(budget, over=over))
        else:
            spending = spending or Spending(today)
            found.append(spending.of(budget, over=over))
    return found


def source_of(budget: Budget, today: date) -> Spending | BilledSpending:
    """Where one budget's days and its standing are read."""
    return BilledSpending(today) if budget.basis == Basis.BILLED else Spending(today)
