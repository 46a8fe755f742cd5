"""Reasons, code mappings and ageing rules. A mapping changed here counts for new events; an action applies it to old ones."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.audit import record
from core.read_only_admin import ReadOnlyAdmin
from shipments.models import AgeingRule, CodeMapping, Reason, UnmappedCode
from shipments.status import meaning, runs
from shipments.tasks import remap


@admin.register(Reason)
class ReasonAdmin(admin.ModelAdmin[Reason]):
    list_display = ["code", "label", "status", "family", "valid_from", "valid_until"]
    list_filter = ["family", "status"]
    search_fields = ["code", "label"]


@admin.register(CodeMapping)
class CodeMappingAdmin(admin.ModelAdmin[CodeMapping]):
    list_display = ["code", "carrier", "status", "reason", "valid_from", "valid_until", "changed_by", "changed"]
    list_filter = ["status", "carrier"]
    list_select_related = ["carrier"]
    autocomplete_fields = ["carrier"]
    search_fields = ["code", "reason"]
    readonly_fields = ["changed_by", "changed"]
    actions = ["apply_to_history"]

    def save_model(self, request: HttpRequest, obj: CodeMapping, form: Any, change: bool) -> None:
        obj.changed_by, obj.changed = request.user.get_username(), timezone.now()
        before = {name: str(form.initial.get(name)) for name in form.changed_data} if change else None
        super().save_model(request, obj, form, change)
        meaning.forget()
        after = {name: str(getattr(obj, name)) for name in form.changed_data}
        record(actor=request.user, verb="codes.mapped", target=obj, source="admin", summary=str(obj), before=before,
               after=after)  # fmt: skip

    @admin.action(description=_("Apply to the history"))
    def apply_to_history(self, request: HttpRequest, queryset: QuerySet[CodeMapping]) -> None:
        """One re-run for each chosen code, over all deliveries of its carrier."""
        for row in queryset.select_related("carrier"):
            owner = row.carrier.name if row.carrier else _("all carriers")
            run = runs.prepare(carrier_id=row.carrier_id, code=row.code, title=f"{owner} {row.code}", whole=True,
                               mapping_id=row.pk if row.carrier_id else None, person=request.user)  # fmt: skip
            transaction.on_commit(partial(remap.delay, run.id))
            link = format_html('<a href="{}">{}</a>', reverse("code-run", args=[run.id]), run.title)
            messages.success(request, link)


@admin.register(AgeingRule)
class AgeingRuleAdmin(admin.ModelAdmin[AgeingRule]):
    list_display = ["from_status", "carrier", "after_days", "to_status", "reason", "active"]
    list_filter = ["active"]
    list_select_related = ["carrier"]
    autocomplete_fields = ["carrier"]


@admin.register(UnmappedCode)
class UnmappedCodeAdmin(ReadOnlyAdmin):
    """Counted by the platform: to look at only; mapping is done on the page of carrier codes."""

    list_display = ["code", "carrier", "text", "shipments", "events", "last_seen"]
    list_filter = ["carrier"]
    list_select_related = ["carrier"]
    search_fields = ["code", "text"]
