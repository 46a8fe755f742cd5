"""Functions in the admin: what AWS states is read only, what people keep by hand is editable."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from services_registry.admin.batches import ReadOnlyAdmin
from services_registry.admin.operations import AuditedAdmin
from services_registry.models import AwsAccount, Function, FunctionRevision, SyncRun

HAND_KEPT = {"owner", "capability", "runbook", "notes", "dispatch_limit"}


@admin.register(Function)
class FunctionAdmin(AuditedAdmin):
    audit_noun = "function"
    list_display = [
        "name",
        "runtime",
        "owner",
        "capability",
        "memory_mb",
        "timeout_s",
        "dispatch_limit",
        "state",
        "gone",
    ]
    list_filter = ["runtime", "architecture", "owner", "capability", "sample"]
    search_fields = ["name", "description", "arn"]
    list_per_page = 50

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in Function._meta.fields if field.name not in HAND_KEPT]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # functions come in by the sync

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # would take its history along; the sync marks it as gone instead


@admin.register(AwsAccount)
class AwsAccountAdmin(AuditedAdmin):
    audit_noun = "aws_account"
    list_display = ["name", "number", "role_arn", "regions", "active"]
    readonly_fields = ["number"]


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = [
        "started",
        "account",
        "region",
        "full",
        "seen",
        "created",
        "changed",
        "gone",
        "failed_count",
        "problem",
    ]
    list_filter = ["full", "region", "account"]
    list_select_related = ["account"]


@admin.register(FunctionRevision)
class FunctionRevisionAdmin(ReadOnlyAdmin):
    list_display = ["function", "seen", "changed", "by"]
    list_select_related = ["function"]
    search_fields = ["function__name"]
