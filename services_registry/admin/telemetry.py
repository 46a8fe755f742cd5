"""Telemetry in the admin: reports and refused lines to look at, keys of Firehose streams to make and revoke."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.audit import record
from services_registry.admin.batches import ReadOnlyAdmin
from services_registry.models import FirehoseKey, InvocationReport, LogPosition, RejectedLine


@admin.register(InvocationReport)
class InvocationReportAdmin(ReadOnlyAdmin):
    list_display = ["function", "request_id", "at", "status", "duration_ms", "billed_ms", "init_ms", "door"]
    list_filter = ["status", "door"]
    list_select_related = ["function"]
    search_fields = ["request_id"]


@admin.register(RejectedLine)
class RejectedLineAdmin(ReadOnlyAdmin):
    list_display = ["at", "door", "source", "event", "reason"]
    list_filter = ["door", "reason"]
    search_fields = ["line"]


@admin.register(LogPosition)
class LogPositionAdmin(ReadOnlyAdmin):
    list_display = ["function", "until", "checked", "problem"]
    list_select_related = ["function"]
    search_fields = ["function__name"]


@admin.register(FirehoseKey)
class FirehoseKeyAdmin(admin.ModelAdmin[Any]):
    """The key is made here and shown once, in the message after saving. Only its hash is kept."""

    list_display = ["name", "hint", "created", "last_used", "revoked"]
    fields = ["name", "hint", "created", "last_used", "revoked"]
    readonly_fields = ["hint", "created", "last_used", "revoked"]
    actions = ["revoke"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # revoked keys stay, so that nobody wonders what a stream used

    def save_model(self, request: HttpRequest, obj: FirehoseKey, form: Any, change: bool) -> None:
        key = "" if change else obj.new_key()
        super().save_model(request, obj, form, change)
        verb = "firehose_key.renamed" if change else "firehose_key.issued"
        record(actor=request.user, verb=verb, target=obj, source="admin", summary=obj.name)
        if key:
            said = _("The access key, shown only this once: %s")
            self.message_user(request, said % key, messages.WARNING)

    @admin.action(description=gettext_lazy("Revoke the chosen keys at once"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[FirehoseKey]) -> None:
        keys = list(queryset.filter(revoked__isnull=True).select_for_update())
        for key in keys:
            key.revoked = timezone.now()
            key.save(update_fields=["revoked"])
            record(actor=request.user, verb="firehose_key.revoked", target=key, source="admin", summary=key.name)
        self.message_user(request, _("%d keys no longer work.") % len(keys), messages.SUCCESS)
