"""What a budget is for, in which money, and how it stands."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    ALL = "all", _("everything")
    ACCOUNT = "account", _("AWS account")
    OWNER = "owner", _("owner")
    CAPABILITY = "capability", _("capability")


class Currency(models.TextChoices):
    USD = "USD", "USD"
    EUR = "EUR", "EUR"


class Basis(models.TextChoices):
    """Which money is held against a budget. The two are never mixed."""

    ESTIMATED = "estimated", _("estimated")
    BILLED = "billed", _("billed")


class Standing(models.TextChoices):
    WITHIN = "within", _("within")
    LIKELY_OVER = "likely_over", _("will be over")
    OVER = "over", _("over")
    UNKNOWN = "unknown", _("not known")


TONES: dict[str, str] = {
    Standing.WITHIN: "green",
    Standing.LIKELY_OVER: "yellow",
    Standing.OVER: "red",
    Standing.UNKNOWN: "secondary",
}
FORECAST = 0
"""Stands for "the forecast is over the budget" among the thresholds, which are per cent."""
