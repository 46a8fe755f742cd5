"""Who wants to be told of what, what waits to be sent, and how sending went."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from core.webhooks.choices import DeliveryState, SubscriptionState


class WebhookSubscription(models.Model):
    """A tool's address for some kinds of events. active -> (20 failures in a row) disabled -> active, by a person."""

    name = models.CharField(max_length=80, unique=True, help_text=_("which tool it is"))
    url = models.CharField(max_length=500)
    secret = EncryptedTextField(help_text=_("signs what we send; shown once"))
    events = ArrayField(models.CharField(max_length=60), help_text=_("kinds of events, as shipment.status_changed"))
    active = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=300, blank=True, help_text=_("why it switched itself off"))
    failures = models.PositiveIntegerField(default=0, help_text=_("in a row"))
    not_before = models.DateTimeField(null=True, blank=True, help_text=_("after a failure nothing is sent until then"))
    busy_until = models.DateTimeField(null=True, blank=True, help_text=_("somebody is sending; a lease"))
    last_success = models.DateTimeField(null=True, blank=True)
    last_failure = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    created = models.DateTimeField(default=timezone.now)
    created_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> SubscriptionState:
        if self.active:
            return SubscriptionState.FAILING if self.failures else SubscriptionState.ACTIVE
        return SubscriptionState.DISABLED if self.disabled_reason else SubscriptionState.PAUSED


class WebhookDelivery(models.Model):
    """Up to 100 events in one POST, and how it went. waiting -> delivered | (a day later) given up; a resend waits again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subscription = models.ForeignKey(WebhookSubscription, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    event_count = models.PositiveIntegerField(default=0)
    first_type = models.CharField(max_length=60, blank=True)
    created = models.DateTimeField(default=timezone.now)
    trying_since = models.DateTimeField(default=timezone.now)
    finished = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("HTTP status of the last answer"))
    duration_ms = models.FloatField(null=True, blank=True)
    response = models.CharField(max_length=500, blank=True, help_text=_("how the last answer began"))
    error = models.CharField(max_length=300, blank=True)
    history = models.JSONField(default=list, blank=True, help_text=_("[{at, status, duration_ms, error}], the last 40"))

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name_plural = _("webhook deliveries")
        indexes = [
            models.Index(fields=["subscription", "-created", "-id"], name="webhook_delivery_log"),
            models.Index(
                fields=["subscription", "next_attempt"],
                condition=models.Q(state=DeliveryState.WAITING),
                name="webhook_delivery_due",
            ),
            models.Index(fields=["created"], name="webhook_delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event_count} events, {self.state}"


class WebhookEvent(models.Model):
    """The outbox: one event for one subscriber. Its id is the sequence; `delivery` is empty while it waits."""

    event_id = models.UUIDField(help_text=_("the same for every subscriber"))
    subscription = models.ForeignKey(
        WebhookSubscription, on_delete=models.CASCADE, related_name="queue", db_index=False
    )
    type = models.CharField(max_length=60)
    data = models.JSONField()
    at = models.DateTimeField(default=timezone.now)
    delivery = models.ForeignKey(
        WebhookDelivery, null=True, blank=True, on_delete=models.CASCADE, related_name="events"
    )

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["subscription", "id"], condition=models.Q(delivery=None), name="webhook_event_waiting"
            ),
            models.Index(fields=["at"], condition=models.Q(delivery=None), name="webhook_event_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"
