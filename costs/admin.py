"""Prices and exchange rates: dated configuration. A new price is a new row; the old one keeps explaining the past."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from costs.budgets import admin as budgets  # noqa: F401  # registers its pages
from costs.ec2_other import admin as ec2_other  # noqa: F401  # registers its pages
from costs.imports import admin as bills  # noqa: F401  # registers its pages
from costs.models import ExchangeRate, FreeTier, Price, ServerType


@admin.register(Price)
class PriceAdmin(admin.ModelAdmin[Any]):
    list_display = ["region", "meter", "item", "architecture", "tier_from", "usd", "valid_from", "checked_on"]
    list_filter = ["meter", "architecture", "region"]
    search_fields = ["region", "source"]
    date_hierarchy = "valid_from"
    save_as = True  # a new price begins as a copy of the present one


@admin.register(ExchangeRate)
class ExchangeRateAdmin(admin.ModelAdmin[Any]):
    list_display = ["currency", "per_usd", "valid_from", "source"]
    list_filter = ["currency"]
    save_as = True


@admin.register(FreeTier)
class FreeTierAdmin(admin.ModelAdmin[Any]):
    list_display = ["account", "requests", "gb_seconds", "valid_from", "valid_until", "source"]
    list_filter = ["account"]


@admin.register(ServerType)
class ServerTypeAdmin(admin.ModelAdmin[Any]):
    list_display = ["name", "architecture", "vcpus", "memory_mb", "baseline", "offered", "checked_on"]
    list_filter = ["offered", "architecture"]
