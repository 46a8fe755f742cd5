"""Kinds of events of functions that tools can subscribe to; `guardrails.telling` tells of them."""

from django.utils.translation import gettext_lazy as _

from core.slots import WebhookEventKind, webhook_events
from services_registry.guardrails.telling import CLOSED, OPENED, RESTORED, STOPPED

webhook_events.register(
    WebhookEventKind(OPENED, _("a finding is new, or opened again")),
    WebhookEventKind(CLOSED, _("a finding closed, because its evidence is gone")),
    WebhookEventKind(STOPPED, _("a function was stopped")),
    WebhookEventKind(RESTORED, _("a stopped function was restored")),
)
