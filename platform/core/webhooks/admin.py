"""Webhooks in Django's admin: to look at; they are made and changed on their pages, which show the secret once."""

from __future__ import annotations

from django.contrib import admin

from core.read_only_admin import ReadOnlyAdmin
from core.webhooks.models import WebhookDelivery, WebhookSubscription


@admin.register(WebhookSubscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ["name", "url", "active", "failures", "disabled_reason", "last_success"]
    list_filter = ["active"]
    exclude = ["secret"]


@admin.register(WebhookDelivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["created", "subscription", "state", "event_count", "attempts", "status", "error"]
    list_filter = ["state", "subscription"]
    list_select_related = ["subscription"]
