"""The usage mapping and who uses which billed resource: dated configuration, repaired by people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from costs.models import ResourceUse, UsageMapping

if TYPE_CHECKING:  # generic for the type checker only
    AnyAdmin = admin.ModelAdmin[Any]
else:
    AnyAdmin = admin.ModelAdmin


@admin.register(UsageMapping)
class UsageMappingAdmin(AnyAdmin):
    list_display = ["pattern", "service_code", "kind", "rank", "valid_from", "version", "checked_on"]
    list_filter = ["kind", "service_code", "version"]
    search_fields = ["pattern", "source"]
    save_as = True  # a correction begins as a copy of the present row


@admin.register(ResourceUse)
class ResourceUseAdmin(AnyAdmin):
    list_display = ["resource", "group_by", "value", "valid_from", "source"]
    list_filter = ["group_by"]
    search_fields = ["resource", "value"]
    save_as = True
