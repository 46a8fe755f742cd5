"""Our own calls to AWS by day, what they cost, and how much they may."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

SINGLETON = 1


class AwsCallDay(models.Model):
    """Requests to one operation on one UTC day, of all processes together. Written by `core.aws.meter` only."""

    day = models.DateField()
    service = models.CharField(max_length=40, help_text=_("as boto3 names it, for example cloudwatch"))
    operation = models.CharField(max_length=80)
    calls = models.BigIntegerField(default=0, help_text=_("requests sent, repetitions included"))
    units = models.DecimalField(
        max_digits=30, decimal_places=9, default=0,
        help_text=_("what is paid by, where that is not the request: metrics asked for, GB scanned"),
    )  # fmt: skip

    class Meta:
        ordering = ["-day", "service", "operation"]
        constraints = [models.UniqueConstraint(fields=["day", "service", "operation"], name="aws_call_day_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.service} {self.operation}: {self.calls}"


class PaidBy(models.TextChoices):
    REQUEST = "request", _("request")
    METRIC = "metric", _("metric asked for")
    GB = "gb", _("GB scanned")


class AwsCallPrice(models.Model):
    """USD for one unit from a day on, until a later row for the same operation. Operations without a row count as nothing."""

    service = models.CharField(max_length=40)
    operation = models.CharField(max_length=80, blank=True, help_text=_("empty: every operation of the service"))
    paid_by = models.CharField(max_length=10, choices=PaidBy, default=PaidBy.REQUEST)
    usd = models.DecimalField(max_digits=20, decimal_places=12)
    valid_from = models.DateField()
    source = models.CharField(max_length=300)
    checked_on = models.DateField()

    class Meta:
        ordering = ["service", "operation", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["service", "operation", "valid_from"], name="aws_call_price_once")
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.operation} {self.usd} USD from {self.valid_from}"


class AwsBudget(models.Model):
    """One row: what our own calls to AWS may cost in a month."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON, editable=False)
    monthly_usd = models.DecimalField(
        max_digits=10, decimal_places=2, default=Decimal(10), validators=[MinValueValidator(0)],
        help_text=_("USD a calendar month (UTC); what polls by itself and costs money slows down before, and stops at it"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("budget for calls to AWS")
        verbose_name_plural = _("budget for calls to AWS")

    def __str__(self) -> str:
        return f"{self.monthly_usd} USD a month"

    @classmethod
    def current(cls) -> "AwsBudget":
        """The row, or its defaults while nobody has changed them."""
        return cls.objects.filter(pk=SINGLETON).first() or cls()
