"""What becomes of a delivery, and of a subscription."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    DELIVERED = "delivered", _("delivered")
    GIVEN_UP = "given_up", _("given up")


class SubscriptionState(models.TextChoices):
    ACTIVE = "active", _("active")
    FAILING = "failing", _("failing")
    PAUSED = "paused", _("paused")
    DISABLED = "disabled", _("switched itself off")


TONES: dict[str, str] = {
    DeliveryState.WAITING: "yellow",
    DeliveryState.DELIVERED: "green",
    DeliveryState.GIVEN_UP: "red",
    SubscriptionState.ACTIVE: "green",
    SubscriptionState.FAILING: "yellow",
    SubscriptionState.PAUSED: "secondary",
    SubscriptionState.DISABLED: "red",
}
