"""Bills are shown, not changed: other bills change them, on their page."""

from __future__ import annotations

from django.contrib import admin

from core.read_only_admin import ReadOnlyAdmin
from costs.models import BilledPeriod, CostExplorerPull, CostImport


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
