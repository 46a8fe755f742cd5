"""Carriers' webhooks and files on their way in. Secrets are written here, never shown; what came in is never changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.audit import record
from core.read_only_admin import ReadOnlyAdmin
from shipments.events.intake import take
from shipments.models import CarrierHook, ColumnMapping, HookDelivery, ImportRun

SHORTEST_SECRET = 16


class HookForm(forms.ModelForm[CarrierHook]):
    secret = forms.CharField(
        required=False,
        min_length=SHORTEST_SECRET,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=_("Signs the carrier's requests. Left empty, it stays as it is."),
    )

    class Meta:
        model = CarrierHook
        fields = ["carrier", "secret", "active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept = self.instance.secret
        self.initial.pop("secret", None)

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"] or self._kept
        if not secret:
            raise forms.ValidationError(_("A webhook needs a secret of at least %d characters.") % SHORTEST_SECRET)
        return secret


@admin.register(CarrierHook)
class CarrierHookAdmin(admin.ModelAdmin[CarrierHook]):
    form = HookForm
    list_display = ["carrier", "address", "active", "last_received"]
    list_select_related = ["carrier"]
    autocomplete_fields = ["carrier"]

    @admin.display(description=_("address"))
    def address(self, hook: CarrierHook) -> str:
        return f"/api/v1/hooks/{hook.carrier.code}/"

    def save_model(self, request: HttpRequest, obj: CarrierHook, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        record(actor=request.user, verb="hook.changed", target=obj, source="admin", summary=str(obj),
               after={"active": obj.active, "changed": form.changed_data})  # fmt: skip


@admin.register(HookDelivery)
class HookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ["carrier", "received", "state", "events", "times", "problem"]
    list_filter = ["state", "carrier"]
    list_select_related = ["carrier"]
    actions = ["take_again"]

    @admin.action(description=_("Take over again (adds only what is missing)"))
    def take_again(self, request: HttpRequest, queryset: QuerySet[HookDelivery]) -> None:
        new = sum(take(row, row.carrier).new for row in queryset.select_related("carrier"))
        record(actor=request.user, verb="hook.taken_again", source="admin", summary=f"{new} new events")
        messages.success(request, ngettext("%d new event", "%d new events", new) % new)


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    list_display = ["name", "state", "rows", "created_count", "refused_count", "created_by_name", "created"]
    list_filter = ["state", "source"]
    search_fields = ["name", "created_by_name"]


@admin.register(ColumnMapping)
class ColumnMappingAdmin(admin.ModelAdmin[ColumnMapping]):
    list_display = ["__str__", "carrier", "changed_by", "changed"]
    list_select_related = ["carrier"]
    autocomplete_fields = ["carrier"]
    readonly_fields = ["header_digest", "header", "changed_by", "changed"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
