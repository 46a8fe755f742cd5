"""The letterhead of printed documents: one row, every change of it on the audit trail."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.audit import record
from shipments.document_forms import LetterheadForm
from shipments.models import Letterhead


@admin.register(Letterhead)
class LetterheadAdmin(admin.ModelAdmin[Letterhead]):
    form = LetterheadForm
    fields = ["name", "lines", "picture", "no_logo"]
    list_display = ["name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Letterhead.objects.exists()

    def save_model(self, request: HttpRequest, obj: Letterhead, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        after = {"name": obj.name, "lines": obj.lines, "logo": bool(obj.logo)}
        verb = "letterhead.changed" if change else "letterhead.created"
        record(actor=request.user, verb=verb, target=obj, source="admin", summary=obj.name, after=after)
