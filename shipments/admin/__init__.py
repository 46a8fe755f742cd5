"""Repair and configuration. Passwords of connections are written here, never shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.audit import record
from shipments.admin import completeness as completeness  # registers its pages
from shipments.admin import intake as intake  # registers its pages
from shipments.admin import letterhead as letterhead  # registers its pages
from shipments.admin import status as status  # registers its pages
from shipments.documents.retention import would_delete
from shipments.models import Carrier, CarrierConnection, CarrierMessage, Document, Note, RetentionRule, Shipment
from shipments.status.moved import Moved
from shipments.webhooks import tell_created, tell_moved

# What the audit trail keeps of a change made here; addresses and contents stay out of it.
_TOLD = frozenset({
    "carrier", "tracking_number", "reference", "customer", "status", "reason", "created", "promised", "delivered",
})  # fmt: skip


class ConnectionForm(forms.ModelForm[CarrierConnection]):
    password = forms.CharField(
        required=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=_("Left empty, the password stays as it is."),
    )

    class Meta:
        model = CarrierConnection
        fields = [
            "carrier", "protocol", "host", "port", "username", "password", "directory", "pattern", "reuse_tls_session",
            "ca_pem", "host_key", "timeout_s", "active",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept = self.instance.password
        self.initial.pop("password", None)

    def clean_password(self) -> str:
        return self.cleaned_data["password"] or self._kept


@admin.register(Carrier)
class CarrierAdmin(admin.ModelAdmin[Carrier]):
    list_display = ["name", "code", "active", "sample"]
    search_fields = ["name", "code"]


@admin.register(CarrierConnection)
class ConnectionAdmin(admin.ModelAdmin[CarrierConnection]):
    form = ConnectionForm
    list_display = ["carrier", "protocol", "host", "port", "active", "last_contact", "last_error"]
    list_select_related = ["carrier"]
    autocomplete_fields = ["carrier"]


@admin.register(Shipment)
class ShipmentAdmin(admin.ModelAdmin[Shipment]):
    list_display = ["tracking_number", "carrier", "status", "customer", "created", "sample"]
    list_filter = ["status", "carrier"]
    list_select_related = ["carrier"]
    autocomplete_fields = ["carrier"]
    search_fields = ["tracking_number__startswith", "reference__startswith"]
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Shipment, form: Any, change: bool) -> None:
        """The change and what it was before stand on the timeline of the delivery."""
        old = Shipment.objects.filter(pk=obj.pk).first() if change else None
        super().save_model(request, obj, form, change)
        if old:
            tell_moved([Moved(obj.pk, (old.status, old.reason), (obj.status, obj.reason))])
        else:
            tell_created([obj.pk])
        names = [name for name in form.changed_data if name in _TOLD]
        record(
            actor=request.user, verb="shipment.changed" if change else "shipment.added", target=obj, source="admin",
            before={name: str(getattr(old, name)) for name in names} if old else None,
            after={name: str(getattr(obj, name)) for name in names} if old else None,
        )  # fmt: skip


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Note)
class NoteAdmin(ReadOnlyAdmin):
    """Deleted ones too; changing and deleting is for their authors, on the page of the delivery."""

    list_display = ["author_name", "shipment", "created", "edited", "deleted"]
    list_select_related = ["shipment"]


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    list_display = ["name", "type", "state", "shipment", "bytes", "source", "created"]
    list_filter = ["type", "state", "extraction"]
    list_select_related = ["shipment"]


@admin.register(RetentionRule)
class RetentionRuleAdmin(admin.ModelAdmin[RetentionRule]):
    """Nightly, active rules delete for good. What one would delete now is shown beside it before it is ticked active."""

    list_display = ["type", "months", "active", "deletes_now"]

    @admin.display(description=_("would delete now"))
    def deletes_now(self, rule: RetentionRule) -> str:
        count = would_delete(rule)
        if not count.known:
            return gettext("not counted: it took too long")
        return gettext("more than %d") % count.n if count.more else str(count.n)

    def save_model(self, request: HttpRequest, obj: RetentionRule, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        record(actor=request.user, verb="retention.changed", target=obj, source="admin", summary=str(obj),
               after={"months": obj.months, "active": obj.active})  # fmt: skip


@admin.register(CarrierMessage)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["text", "carrier", "status", "applied", "received"]
    list_filter = ["status", "applied"]
    list_select_related = ["carrier"]
