"""Notes on functions and kept payloads in the admin: to be read, and payloads to be removed where they hold too much."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from services_registry.admin.batches import ReadOnlyAdmin
from services_registry.admin.operations import AuditedAdmin
from services_registry.models import FunctionNote, SavedPayload


@admin.register(FunctionNote)
class FunctionNoteAdmin(ReadOnlyAdmin):
    list_display = ["function", "author_name", "created", "deleted", "text"]
    list_select_related = ["function"]
    search_fields = ["function__name", "author_name", "text"]


@admin.register(SavedPayload)
class SavedPayloadAdmin(AuditedAdmin):
    audit_noun = "payload"
    list_display = ["name", "function", "owner", "shared", "changed", "deleted"]
    list_filter = ["shared"]
    list_select_related = ["function", "owner"]
    search_fields = ["name", "function__name", "owner__username"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in SavedPayload._meta.fields if field.name != "shared"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # they are kept on the page of their function
