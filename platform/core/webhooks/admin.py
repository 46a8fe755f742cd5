"""Webhooks in Django's admin: to look at; they are made and changed on their pages, which show the secret once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.webhooks.models import WebhookDelivery, WebhookSubscription


class LookOnlyAdmin(admin.ModelAdmin[Any]):
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(WebhookSubscription)
class SubscriptionAdmin(LookOnlyAdmin):
    list_display = ["name", "url", "active", "failures", "disabled_reason", "last_success"]
    list_filter = ["active"]
    exclude = ["secret"]


@admin.register(WebhookDelivery)
class DeliveryAdmin(LookOnlyAdmin):
    list_display = ["created", "subscription", "state", "event_count", "attempts", "status", "error"]
    list_filter = ["state", "subscription"]
    list_select_related = ["subscription"]
