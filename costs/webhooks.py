"""Kinds of events about money that tools can subscribe to."""

from django.utils.translation import gettext_lazy as _

from core.slots import WebhookEventKind, webhook_events

BUDGET_ALERT = "cost.budget_alert"
ANOMALY_FOUND = "cost.anomaly_found"

webhook_events.register(
    WebhookEventKind(BUDGET_ALERT, _("a threshold of a budget is passed, or its forecast is over it")),
    WebhookEventKind(ANOMALY_FOUND, _("a day cost far more than usual")),
)
