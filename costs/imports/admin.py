"""Bills are shown, not changed: other bills change them, on their page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from costs.models import BilledPeriod, CostExplorerPull, CostImport

if TYPE_CHECKING:  # generic for the type checker only
    AnyAdmin = admin.ModelAdmin[Any]
else:
    AnyAdmin = admin.ModelAdmin


class ReadOnlyAdmin(AnyAdmin):
    """What is written by imports only: bills are changed by other bills, on their page, never by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CostImport)
class CostImportAdmin(ReadOnlyAdmin):
    list_display = [
        "name",
        "state",
        "format",
        "period_start",
        "period_end",
        "rows",
        "door",
        "created_by_name",
        "created",
    ]
    list_filter = ["state", "source", "door"]
    search_fields = ["name", "sha256"]
    date_hierarchy = "created"


@admin.register(BilledPeriod)
class BilledPeriodAdmin(ReadOnlyAdmin):
    list_display = [
        "month",
        "provider",
        "billing_account",
        "account",
        "source",
        "detail",
        "counted",
        "estimated",
        "changed",
    ]
    list_filter = ["source", "counted", "provider"]
    search_fields = ["billing_account", "account"]
    date_hierarchy = "month"


@admin.register(CostExplorerPull)
class CostExplorerPullAdmin(ReadOnlyAdmin):
    list_display = ["at", "first", "end", "requests", "usd", "problem"]
    date_hierarchy = "at"
