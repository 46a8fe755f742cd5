"""Schedules, freeze windows and the engine's limit: configuration, every change of it on the audit trail."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.forms import ModelForm, model_to_dict
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.audit import record
from core.errors import RefusedError
from core.fields import EncryptedTextField
from services_registry.batches import schedules
from services_registry.batches.engine_limit import change_engine_limit
from services_registry.models import BatchSchedule, EngineSettings, FreezeWindow, ScheduleRun
from services_registry.schedule_forms import BatchScheduleForm, EngineLimitForm, FreezeWindowForm

SHOWN_RUNS = 20


class AuditedAdmin(admin.ModelAdmin[Any]):
    """Writes who changed what, from what to what, beside the change."""

    audit_noun = ""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        before = _facts(type(obj).objects.get(pk=obj.pk)) if change else None
        super().save_model(request, obj, form, change)
        after = _facts(obj)
        if before != after or form.changed_data:  # a secret that changed looks as before
            self._record(request, "changed" if change else "created", obj, before=before, after=after)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._record(request, "deleted", obj, before=_facts(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            self._record(request, "deleted", obj, before=_facts(obj))
        super().delete_queryset(request, queryset)

    def _record(self, request: HttpRequest, what: str, obj: Any, **facts: Any) -> None:
        record(
            actor=request.user, verb=f"{self.audit_noun}.{what}", target=obj, source="admin", summary=str(obj), **facts
        )


def _facts(obj: Any) -> dict[str, Any]:
    """What an entry says of a row; of secrets only whether there is one."""
    facts: dict[str, Any] = json.loads(json.dumps(model_to_dict(obj), cls=DjangoJSONEncoder))
    secrets = [field.name for field in obj._meta.fields if isinstance(field, EncryptedTextField)]
    return facts | {name: "kept secret" if facts[name] else "" for name in secrets}


class ScheduleRunInline(admin.TabularInline[ScheduleRun, BatchSchedule]):
    """The latest runs, to be read only."""

    model = ScheduleRun
    verbose_name_plural = gettext_lazy("latest runs")
    fields = readonly_fields = ("due", "at", "result", "note", "batch")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        schedule = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        latest = ScheduleRun.objects.filter(schedule_id=schedule).order_by("-due", "-id") if schedule else None
        runs = super().get_queryset(request).select_related("batch", "schedule")
        return runs.filter(pk__in=latest.values("pk")[:SHOWN_RUNS]) if latest is not None else runs.none()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # they go with their schedule; there is no button of their own

    can_delete = False


@admin.register(BatchSchedule)
class BatchScheduleAdmin(AuditedAdmin):
    form = BatchScheduleForm
    audit_noun = "schedule"
    list_display = ["name", "capability", "every_minutes", "priority", "active", "next_run", "last_result"]
    list_filter = ["active", "capability"]
    search_fields = ["name"]
    autocomplete_fields = ["owner"]
    inlines = [ScheduleRunInline]
    actions = ["start_now", "pause", "resume"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return schedules.schedules_with_results()

    @admin.display(description=gettext_lazy("last result"))
    def last_result(self, schedule: Any) -> str:
        return schedule.last_result or "–"

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and obj.active and "active" in form.changed_data:
            obj.next_run = schedules.next_slot(obj, timezone.now())  # what passed while it was paused was not missed
        super().save_model(request, obj, form, change)
        words = ngettext("It means %(count)d item now.", "It means %(count)d items now.", form.means or 0)
        self.message_user(request, words % {"count": form.means or 0})

    @admin.action(description=gettext_lazy("Start the chosen schedules now"), permissions=["change"])
    def start_now(self, request: HttpRequest, queryset: QuerySet[BatchSchedule]) -> None:
        for schedule in queryset:
            try:
                run = schedules.run_now(schedule, actor=request.user, source="admin")
            except RefusedError as refusal:
                self.message_user(request, f"{schedule}: {refusal.message}", messages.ERROR)
            else:
                self.message_user(request, f"{schedule}: {run.get_result_display()} {run.note}")

    @admin.action(description=gettext_lazy("Pause the chosen schedules"), permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[BatchSchedule]) -> None:
        paused = sum(schedules.pause_schedule(row, actor=request.user, source="admin") for row in queryset)
        self.message_user(request, _("%d paused.") % paused)

    @admin.action(description=gettext_lazy("Resume the chosen schedules"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[BatchSchedule]) -> None:
        resumed = sum(schedules.resume_schedule(row, actor=request.user, source="admin") for row in queryset)
        self.message_user(request, _("%d resumed.") % resumed)


@admin.register(FreezeWindow)
class FreezeWindowAdmin(AuditedAdmin):
    form = FreezeWindowForm
    audit_noun = "freeze"
    list_display = ["name", "starts", "ends", "reason"]
    search_fields = ["name", "reason"]
    date_hierarchy = "starts"


class EngineSettingsForm(ModelForm[EngineSettings]):
    """The model's one number with the page's rules for it and its reason."""

    concurrency = EngineLimitForm.base_fields["concurrency"]
    reason = EngineLimitForm.base_fields["reason"]

    class Meta:
        model = EngineSettings
        fields = ["concurrency"]


@admin.register(EngineSettings)
class EngineSettingsAdmin(admin.ModelAdmin[Any]):
    """One row. It cannot be deleted, and a second one cannot be made."""

    form = EngineSettingsForm
    list_display = ["__str__"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        asked = form.cleaned_data
        change_engine_limit(asked["concurrency"], actor=request.user, source="admin", reason=asked["reason"])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not EngineSettings.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
