"""The delivery log and people's choices in Django's admin; nothing is written there."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from core.notices.models import Notice, NoticeDelivery, NoticePreference
from core.read_only_admin import ReadOnlyAdmin


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ["created", "topic", "severity", "subject", "url"]
    list_filter = ["severity", "topic"]
    search_fields = ["subject", "dedupe_key"]


@admin.register(NoticeDelivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["created", "subject", "user", "channel", "state", "attempts", "due", "finished", "reason"]
    list_filter = ["state", "channel", "notice__topic"]
    list_select_related = ["notice", "user"]
    search_fields = ["user__username", "notice__subject"]

    @admin.display(description=_("subject"))
    def subject(self, row: NoticeDelivery) -> str:
        return row.notice.subject


@admin.register(NoticePreference)
class PreferenceAdmin(ReadOnlyAdmin):
    list_display = ["user", "topic", "channels"]
    list_filter = ["topic"]
    list_select_related = ["user"]
