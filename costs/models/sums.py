"""Estimated costs kept ready: what pages and budgets read. Made anew from usage and prices by `costs.sums`."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.models import Function


class Kept(models.Model):
    """Amounts are exact; EUR by the rate of each day, empty when one is missing."""

    usd = models.DecimalField(max_digits=60, decimal_places=30, default=0)
    eur = models.DecimalField(max_digits=60, decimal_places=30, null=True)
    unpriced = models.BigIntegerField(default=0, help_text=_("invocations without a known price; not in the amounts"))
    sample = models.BooleanField(default=False)
    as_of = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True


class CostDay(Kept):
    """A UTC day of all functions of one account, owner and capability together; or one line of an account (`line`)."""

    day = models.DateField()
    account = models.CharField(max_length=12, blank=True)
    owner = models.CharField(max_length=80, blank=True)
    capability = models.CharField(max_length=80, blank=True)
    line = models.CharField(max_length=30, blank=True, help_text=_("what volume takes off; empty: what calls cost"))

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["day", "account", "owner", "capability", "line"], name="cost_day_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.account} {self.owner} {self.capability} {self.line}"


class CostFunctionMonth(Kept):
    """A function in one calendar month; `whole` without the day that is not over, `before` the same days a month before."""

    function = models.ForeignKey(Function, on_delete=models.CASCADE, related_name="+")
    month = models.DateField(help_text=_("its first day"))
    whole_usd = models.DecimalField(max_digits=60, decimal_places=30, default=0)
    before_usd = models.DecimalField(max_digits=60, decimal_places=30, default=0)
    invocations = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["month", "-usd"]
        constraints = [models.UniqueConstraint(fields=["month", "function"], name="cost_function_month_once")]
        indexes = [models.Index(fields=["month", "-usd", "function"], name="cost_function_dearest")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.function_id}"
