"""The usage mapping and who uses which billed resource: dated configuration, repaired by people."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from costs.models import ResourceUse, UsageMapping


@admin.register(UsageMapping)
class UsageMappingAdmin(admin.ModelAdmin[Any]):
    list_display = ["pattern", "service_code", "kind", "rank", "valid_from", "version", "checked_on"]
    list_filter = ["kind", "service_code", "version"]
    search_fields = ["pattern", "source"]
    save_as = True  # a correction begins as a copy of the present row


@admin.register(ResourceUse)
class ResourceUseAdmin(admin.ModelAdmin[Any]):
    list_display = ["resource", "group_by", "value", "valid_from", "source"]
    list_filter = ["group_by"]
    search_fields = ["resource", "value"]
    save_as = True
