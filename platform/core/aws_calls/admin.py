"""Calls to AWS in Django's admin: counts to look at, dated prices, and the budget."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.aws_calls.models import AwsBudget, AwsCallDay, AwsCallPrice
from core.aws_calls.spending import change_budget
from core.read_only_admin import ReadOnlyAdmin


@admin.register(AwsCallDay)
class AwsCallDayAdmin(ReadOnlyAdmin):
    list_display = ["day", "service", "operation", "calls", "units"]
    list_filter = ["service"]
    date_hierarchy = "day"


@admin.register(AwsCallPrice)
class AwsCallPriceAdmin(admin.ModelAdmin[Any]):
    list_display = ["service", "operation", "paid_by", "usd", "valid_from", "checked_on"]
    list_filter = ["service"]
    search_fields = ["service", "operation", "source"]
    save_as = True  # a new price begins as a copy of the present one


@admin.register(AwsBudget)
class AwsBudgetAdmin(admin.ModelAdmin[Any]):
    """One row. It cannot be deleted, and a second one cannot be made."""

    list_display = ["__str__"]

    def save_model(self, request: HttpRequest, obj: AwsBudget, form: Any, change: bool) -> None:
        change_budget(form.cleaned_data["monthly_usd"], actor=request.user, source="admin")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not AwsBudget.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
