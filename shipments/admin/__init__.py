"""Repair and configuration. Passwords of connections are written here, never shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.audit import record
from core.read_only_admin import ReadOnlyAdmin
from shipments.admin import completeness as completeness  # registers its pages
from shipments.admin import intake as intake  # registers its pages
from shipments.admin import letterhead as letterhead  # registers its pages
from shipments.admin import status as status  # registers its pages
from shipments.connections.matching import pattern_problem
from shipments.documents.retention import would_delete
from shipments.models import Carrier, CarrierConnection, CarrierMessage, Document, Note, RetentionRule, Shipment
from shipments.status.moved import Moved
from shipments.webhooks import tell_created, tell_moved

# What the audit trail keeps of a change made here; addresses and contents stay out of it.
_TOLD = frozenset({
    "carrier", "tracking_number", "reference", "customer", "status", "reason", "created", "promised", "delivered",
})  # fmt: skip


class ConnectionForm(forms.ModelForm[CarrierConnection]):
    """Secrets are written here and never shown: left empty they stay as they are."""

    password = forms.CharField(
        required=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=_("Left empty, the password stays as it is."),
    )
    private_key = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
        help_text=_("SFTP: an unencrypted key, tried before the password. Left empty, it stays as it is."),
    )

    class Meta:
        model = CarrierConnection
        fields = "__all__"  # noqa: DJ007  # the admin's fieldsets say which

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept = {name: getattr(self.instance, name) for name in ("password", "private_key")}
        for name in self._kept:
            self.initial.pop(name, None)

    def clean_password(self) -> str:
        return str(self.cleaned_data["password"] or self._kept["password"])

    def clean_private_key(self) -> str:
        return str(self.cleaned_data["private_key"] or self._kept["private_key"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"directory", "pattern", "document_type"} <= cleaned.keys():
            names = ("directory", "pattern", "document_type")
            if problem := pattern_problem(CarrierConnection(**{name: cleaned[name] for name in names})):
                self.add_error("pattern", problem)
        return cleaned


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
    readonly_fields = ["try_it", "last_contact", "last_error"]
    fieldsets = [
        (None, {"fields": ["carrier", "active", "try_it", "last_contact", "last_error"]}),
        (_("Server"), {"fields": ["protocol", "host", "port", "username", "password", "private_key", "host_key"]}),
        (_("Files"), {"fields": ["directory", "pattern", "document_type", "fetch_unknown", "after_fetch", "move_to"]}),
        (
            _("When and how often"),
            {
                "fields": [
                    "sweep_minutes", "zone", "sweep_days", "sweep_from", "sweep_until", "max_sessions", "breaker_after",
                ]
            },
        ),
        (
            _("Rarely needed"),
            {"classes": ["collapse"], "fields": ["passive", "reuse_tls_session", "ca_pem", "encoding", "timeout_s"]},
        ),
    ]  # fmt: skip

    @admin.display(description=_("try it"))
    def try_it(self, connection: CarrierConnection | None) -> str:
        """The way to the page where it is tried on the real server."""
        if connection is None or connection.pk is None:
            return gettext("Save first; then it can be tried on the carrier's server.")
        address = reverse("connection-try", args=[connection.pk])
        words = gettext("Test the login, see the files, try the pattern")
        return format_html('<a href="{}">{}</a>', address, words)

    def response_add(self, request: HttpRequest, obj: CarrierConnection, post_url_continue: str | None = None) -> Any:
        """A new connection is tried next."""
        return self._tried_next(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: CarrierConnection) -> Any:
        """So is one whose settings were mended."""
        return self._tried_next(request, obj) or super().response_change(request, obj)

    def _tried_next(self, request: HttpRequest, connection: CarrierConnection) -> HttpResponse | None:
        other = "_continue" in request.POST or "_addanother" in request.POST or "_saveasnew" in request.POST
        if other or not request.user.has_perm("core.administer"):
            return None
        return redirect("connection-try", connection.pk)


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
