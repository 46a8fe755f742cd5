"""Who hears when a budget passes a threshold: once for each budget, month and threshold, however often we look."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from core.money import format_money
from core.notices import tell
from core.notices.choices import Severity
from core.webhooks import emit
from costs.budgets.choices import FORECAST, Basis
from costs.budgets.spending import BudgetStanding
from costs.budgets.standing import standings
from costs.models import Budget, BudgetAlert
from costs.told import BUDGET, people_called
from costs.webhooks import BUDGET_ALERT

FULL = 100


def watch(today: date) -> int:
    """Look at all active budgets; how many alerts that made."""
    return sum(_look(one) for one in standings(Budget.objects.filter(active=True), today))


def passed(standing: BudgetStanding) -> list[int]:
    """The thresholds of a budget that hold now; `FORECAST` when only the forecast is over it."""
    if standing.spent is None:
        return []
    budget, share = standing.budget, standing.spent * 100 / standing.budget.amount
    found = [threshold for threshold in budget.thresholds if share >= threshold]
    over = standing.forecast is not None and standing.forecast.total > budget.amount
    if budget.tell_forecast and over and standing.spent <= budget.amount:
        found.append(FORECAST)
    return found


@transaction.atomic
def _look(standing: BudgetStanding) -> int:
    thresholds = passed(standing)
    if not thresholds:
        return 0
    budget = standing.budget
    Budget.objects.select_for_update().get(pk=budget.pk)  # others that look now wait, and find what we wrote
    alerts = BudgetAlert.objects.filter(budget=budget, month=standing.month)
    known = set(alerts.values_list("threshold", flat=True))
    new = [threshold for threshold in thresholds if threshold not in known]
    BudgetAlert.objects.bulk_create(_alert(standing, threshold) for threshold in new)
    # Several at once are one message, about the highest; the forecast is another matter.
    spent = [threshold for threshold in new if threshold != FORECAST]
    for threshold in [*spent[-1:], *(one for one in new if one == FORECAST)]:
        _tell(standing, threshold)
    return len(new)


def _alert(standing: BudgetStanding, threshold: int) -> BudgetAlert:
    return BudgetAlert(
        budget=standing.budget, month=standing.month, threshold=threshold, amount=standing.budget.amount,
        currency=standing.budget.currency, spent=standing.spent or Decimal(0),
        forecast=standing.forecast.total if standing.forecast else None,
    )  # fmt: skip


def _tell(standing: BudgetStanding, threshold: int) -> None:
    budget = standing.budget
    severity = Severity.CRITICAL if threshold >= FULL else Severity.WARNING
    tell(
        people_called(budget.people), topic=BUDGET, severity=severity, subject=_subject(standing, threshold),
        text=words_of(standing), url=reverse("budget-detail", args=[budget.pk]),
        key=f"budget:{budget.pk}:{standing.month:%Y-%m}:{threshold}",
    )  # fmt: skip
    emit(BUDGET_ALERT, [event_of(standing, threshold)])


def _subject(standing: BudgetStanding, threshold: int) -> str:
    words = {"name": standing.budget.name, "n": threshold, "month": f"{standing.month:%Y-%m}"}
    if threshold == FORECAST:
        return _("%(name)s: %(month)s will be over its budget") % words
    return _("%(name)s: %(n)d %% of the budget of %(month)s is spent") % words


def words_of(standing: BudgetStanding) -> str:
    """Spent, budget, forecast and its interval, as a mail says them."""
    budget, ahead = standing.budget, standing.forecast

    def money(amount: Decimal | None) -> str:
        return format_money(amount, budget.currency, estimate=budget.basis == Basis.ESTIMATED)

    lines = [
        _("Spent so far: %(spent)s of %(amount)s") % {
            "spent": money(standing.spent), "amount": format_money(budget.amount, budget.currency)
        }
    ]  # fmt: skip
    if ahead is not None:
        lines.append(_("Forecast of the month: %(total)s") % {"total": money(ahead.total)})
        if ahead.low is not None:
            bounds = {"low": money(ahead.low), "high": money(ahead.high), "n": ahead.tries}
            lines.append(_("Eight of ten times between %(low)s and %(high)s, by %(n)d earlier forecasts") % bounds)
    return "\n".join(lines)


def event_of(standing: BudgetStanding, threshold: int) -> dict[str, Any]:
    """What tools are told: amounts as exact decimals in text."""
    budget, ahead = standing.budget, standing.forecast
    return {
        "budget": {"id": budget.pk, "name": budget.name, "scope": budget.scope, "key": budget.key},
        "month": f"{standing.month:%Y-%m}", "threshold_percent": threshold or None, "by_forecast": threshold == FORECAST,
        "amount": f"{budget.amount:f}", "currency": budget.currency, "spent": f"{standing.spent or 0:f}",
        "forecast": f"{ahead.total:f}" if ahead else None, "basis": budget.basis,
    }  # fmt: skip
