"""Repair and configuration of the platform's own tables, in Django's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.aws_calls import admin as aws_calls  # noqa: F401  # registers its pages
from core.models import ApiToken, AuditEntry, Preference
from core.notices import admin as notices  # noqa: F401  # registers its pages
from core.read_only_admin import ReadOnlyAdmin
from core.tokens import revoke_token
from core.webhooks import admin as webhooks  # noqa: F401  # registers its pages

admin.site.site_title = gettext_lazy("Shipment platform admin")
admin.site.site_header = gettext_lazy("Shipment platform admin")
admin.site.index_title = gettext_lazy("Configuration and repair")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Read only for everybody: a trail that can be edited proves nothing."""

    list_display = ("at", "actor_name", "source", "verb", "target", "summary")
    list_filter = ("source", "verb")
    search_fields = ("target", "actor_name", "request_id")
    date_hierarchy = "at"


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    """Tokens are issued on the account page; here they are seen and revoked. The hash is shown to nobody."""

    list_display = ("name", "user", "hint", "created", "last_used", "expires", "revoked")
    list_filter = ("revoked", "expires")
    search_fields = ("name", "user__username")
    list_select_related = ("user",)
    fields = ("name", "user", "hint", "created", "last_used", "expires", "revoked")
    readonly_fields = ("user", "hint", "created", "last_used", "revoked")
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description=gettext_lazy("Revoke the chosen tokens at once"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        revoked = sum(revoke_token(token=token, actor=request.user, source="admin") for token in queryset)
        self.message_user(request, _("%d tokens no longer work.") % revoked, messages.SUCCESS)


@admin.register(Preference)
class PreferenceAdmin(admin.ModelAdmin[Preference]):
    list_display: Any = ("user", "theme", "density", "time_zone")
    search_fields = ("user__username",)
    autocomplete_fields = ("user",)
    list_select_related = ("user",)
