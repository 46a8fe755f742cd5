"""Budgets: the list, one with its course and its alerts, and what administrators do to them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.access import admin_required
from core.csv_stream import csv_response
from core.errors import RefusedError
from costs.budgets import services
from costs.budgets.forms import BudgetForm
from costs.budgets.standing import source_of, standings
from costs.forecast import backtests
from costs.models import Budget
from costs.overview import budget_figure
from costs.sums import utc_today
from costs.views.overview import dressed, plain
from services_registry.models import Function


@require_GET
def budget_list(request: HttpRequest) -> HttpResponseBase:
    found = standings(Budget.objects.all(), utc_today())
    if request.GET.get("format") == "csv":
        header = ["budget", "for", "which", "amount", "currency", "spent", "share", "forecast", "standing"]
        return csv_response("budgets.csv", header, (_csv(one) for one in found))
    return render(request, "costs/budget_list.html", {"budgets": dressed(found), "today": utc_today()})


def _csv(one: Any) -> tuple[Any, ...]:
    budget, ahead = one.budget, one.forecast
    return (budget.name, budget.scope, budget.key, budget.amount, budget.currency, plain(one.spent), one.share,
            plain(ahead.total if ahead else None), one.standing)  # fmt: skip


@require_GET
def budget_detail(request: HttpRequest, pk: int) -> HttpResponse:
    budget, today = get_object_or_404(Budget, pk=pk), utc_today()
    source = source_of(budget, today)
    days = source.days(budget.scope, budget.key, budget.currency) or {}
    context = {
        "one": dressed([source.of(budget)])[0], "budget": budget, "past": backtests(days, today),
        "figure": budget_figure(days, budget, today), "alerts": budget.alerts.all()[:50],
    }  # fmt: skip
    return render(request, "costs/budget_detail.html", context)


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def budget_new(request: HttpRequest) -> HttpResponse:
    initial = {"thresholds": "50, 80, 100", "tell_forecast": True, "active": True, **request.GET.dict()}
    return _edit(request, None, initial)


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def budget_edit(request: HttpRequest, pk: int) -> HttpResponse:
    budget = get_object_or_404(Budget, pk=pk)
    initial = {name: getattr(budget, name) for name in services.FIELDS}
    initial["thresholds"] = ", ".join(map(str, budget.thresholds))
    initial["people"] = ", ".join(budget.people)
    return _edit(request, budget, initial)


def _edit(request: HttpRequest, budget: Budget | None, initial: dict[str, Any]) -> HttpResponse:
    form = BudgetForm(request.POST if request.method == "POST" else None, initial=initial, known=_known())
    if form.is_valid() and (kept := _kept(form, budget, request.user)):
        messages.success(request, _("The budget “%(name)s” is kept.") % {"name": kept.name})
        return redirect("budget-detail", pk=kept.pk)
    status = 400 if form.is_bound else 200
    return render(request, "costs/budget_form.html", {"form": form, "budget": budget}, status=status)


def _kept(form: BudgetForm, budget: Budget | None, actor: Any) -> Budget | None:
    """None when the service refused, with the reason beside the field."""
    try:
        if budget is None:
            return services.create_budget(actor=actor, **form.cleaned_data)
        return services.change_budget(budget, actor=actor, **form.cleaned_data)
    except ValidationError as error:
        for name, errors in error.error_dict.items():
            form.add_error(name, errors)
    except RefusedError as error:
        form.add_error(next(iter(error.fields), None), error.message)
    return None


def _known() -> dict[str, list[str]]:
    """What a budget can be for, offered while typing."""
    names = ("owner", "capability", "account")
    return {name: list(Function.objects.order_by(name).values_list(name, flat=True).distinct()[:200]) for name in names}


@admin_required
@require_POST
def budget_delete(request: HttpRequest, pk: int) -> HttpResponse:
    budget = get_object_or_404(Budget, pk=pk)
    services.delete_budget(budget, actor=request.user)
    messages.success(request, _("The budget “%(name)s” is deleted.") % {"name": budget.name})
    return redirect("budget-list")
