"""Document rules and expected documents to look at, and how missing documents are tried again.

Rules are changed on their own page, where a change is tried out first and closes the old row.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.forms import model_to_dict
from django.http import HttpRequest

from core.audit import record
from core.read_only_admin import ReadOnlyAdmin
from shipments.completeness.changes import patience_changed
from shipments.models import CompletenessSettings, DocumentRule, DocumentWaiver, ExpectedDocument


@admin.register(DocumentRule)
class DocumentRuleAdmin(ReadOnlyAdmin):
    list_display = [
        "document_type", "carrier", "lane", "destinations", "incoterm", "from_status", "due_hours", "due_after",
        "obtain", "active", "valid_from", "valid_until", "changed_by",
    ]  # fmt: skip
    list_filter = ["document_type", "active"]
    list_select_related = ["carrier"]


@admin.register(ExpectedDocument)
class ExpectedDocumentAdmin(ReadOnlyAdmin):
    list_display = ["document_type", "shipment", "carrier", "state", "turn", "due", "tries", "error_type", "next_try"]
    list_filter = ["state", "turn", "document_type"]
    list_select_related = ["shipment", "carrier"]


@admin.register(DocumentWaiver)
class DocumentWaiverAdmin(ReadOnlyAdmin):
    list_display = ["document_type", "shipment", "reason", "by_name", "at"]
    list_select_related = ["shipment"]


@admin.register(CompletenessSettings)
class CompletenessSettingsAdmin(admin.ModelAdmin[CompletenessSettings]):
    list_display = ["__str__", "first_wait_hours", "longest_wait_hours", "most_tries"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not CompletenessSettings.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: CompletenessSettings, form: Any, change: bool) -> None:
        before = model_to_dict(CompletenessSettings.current())
        super().save_model(request, obj, form, change)
        record(actor=request.user, verb="documents.automatic", target=obj, source="admin", summary=str(obj),
               before=before, after=model_to_dict(obj))  # fmt: skip
        patience_changed()
