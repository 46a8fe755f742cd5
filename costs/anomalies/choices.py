"""What became of an anomaly, and what a difference can consist of."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AnomalyState(models.TextChoices):
    OPEN = "open", _("open")
    DISMISSED = "dismissed", _("explained")
    GONE = "gone", _("usual after all")


TONES: dict[str, str] = {AnomalyState.OPEN: "red", AnomalyState.DISMISSED: "green", AnomalyState.GONE: "secondary"}


class Part(models.TextChoices):
    """In the order in which they are taken out of a difference."""

    CALLS = "calls", _("calls that went well")
    FAILED = "failed", _("failed calls and their repeats")
    TIMEOUTS = "timeouts", _("time-outs running to their limit")
    COLD_STARTS = "cold_starts", _("cold starts")
    DURATION = "duration", _("duration of calls")
    MEMORY = "memory", _("size of memory or /tmp")
    PRICE = "price", _("price")
