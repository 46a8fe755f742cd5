"""Budgets in Django's admin: changed by the same services as on their pages. Alerts, anomalies and reports are looked at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import HttpRequest

from core.read_only_admin import ReadOnlyAdmin
from costs.budgets import services
from costs.models import Budget, BudgetAlert, CostAnomaly, MonthlyReport


class BudgetAdminForm(ModelForm[Budget]):
    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors:
            try:
                values |= services.checked(**{name: values[name] for name in services.FIELDS})
            except ValidationError as error:
                for name, errors in error.error_dict.items():
                    self.add_error(name, errors)
        return values


@admin.register(Budget)
class BudgetAdmin(admin.ModelAdmin[Any]):
    form = BudgetAdminForm
    fields = services.FIELDS
    list_display = ["name", "scope", "key", "amount", "currency", "active"]
    list_filter = ["scope", "currency", "active"]
    search_fields = ["name", "key"]

    def save_model(self, request: HttpRequest, obj: Budget, form: Any, change: bool) -> None:
        said = {name: form.cleaned_data[name] for name in services.FIELDS}
        if change:
            services.change_budget(Budget.objects.get(pk=obj.pk), actor=request.user, source="admin", **said)
        else:
            obj.pk = services.create_budget(actor=request.user, source="admin", **said).pk

    def delete_model(self, request: HttpRequest, obj: Budget) -> None:
        services.delete_budget(obj, actor=request.user, source="admin")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and super().has_delete_permission(request, obj)


@admin.register(BudgetAlert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ["at", "budget", "month", "threshold", "spent", "amount", "currency"]
    list_select_related = ["budget"]


@admin.register(CostAnomaly)
class AnomalyAdmin(ReadOnlyAdmin):
    list_display = ["day", "function", "service", "actual", "expected", "delta", "state", "reason"]
    list_filter = ["state", "basis"]
    list_select_related = ["function"]


@admin.register(MonthlyReport)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ["month", "pages", "bytes", "made", "made_by_name", "mailed"]
