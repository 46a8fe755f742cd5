"""What was estimated of a function's month against what was billed of it, with the reasons that are known."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import ExactDecimalField
from services_registry.models import Function


class Reconciliation(models.Model):
    """One function, month and currency: billed = estimated + reasons + rest, to the last digit."""

    month = models.DateField(help_text=_("its first day, UTC"))
    function = models.ForeignKey(Function, null=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=250, help_text=_("as the bill names it where the registry does not know it"))
    currency = models.CharField(max_length=10)
    estimated = ExactDecimalField(help_text=_("list prices x what telemetry saw"))
    billed = ExactDecimalField(help_text=_("FOCUS BilledCost"))
    effective = ExactDecimalField(null=True, help_text=_("FOCUS EffectiveCost"))
    reasons = models.JSONField(default=dict, help_text=_("{reason: exact decimal as text}"))
    rest = ExactDecimalField(help_text=_("what no reason explains"))
    allocated = ExactDecimalField(default=0, help_text=_("how much of `billed` was shared out, not read from the bill"))
    days = models.PositiveIntegerField(default=0, help_text=_("days with a report"))
    days_billed = models.PositiveIntegerField(default=0, help_text=_("days that the bill tells of"))
    days_silent = models.PositiveIntegerField(default=0, help_text=_("billed days without a report"))
    estimated_bill = models.BooleanField(default=False, help_text=_("the bill may still change"))
    sample = models.BooleanField(default=False)
    counted = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-month", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["month", "currency", "function", "name"], name="reconciliation_once", nulls_distinct=False
            )
        ]
        indexes = [models.Index(fields=["month", "currency"], name="reconciliation_month")]

    def __str__(self) -> str:
        return f"{self.name} {self.month:%Y-%m} {self.rest} {self.currency}"
