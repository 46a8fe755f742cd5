"""Kinds of events of functions that tools can subscribe to; `guardrails.telling` and `registry.telling` tell of them."""

from django.utils.translation import gettext_lazy as _

from core.slots import WebhookEventKind, webhook_events
from services_registry.guardrails.telling import CLOSED, OPENED, RESTORED, STOPPED
from services_registry.registry.telling import FUNCTION_CHANGED

webhook_events.register(
    WebhookEventKind(FUNCTION_CHANGED, _("a function's code or settings differ, or it is gone")),
    WebhookEventKind(OPENED, _("a finding is new, or opened again")),
    WebhookEventKind(CLOSED, _("a finding closed, because its evidence is gone")),
    WebhookEventKind(STOPPED, _("a function was stopped")),
    WebhookEventKind(RESTORED, _("a stopped function was restored")),
)
