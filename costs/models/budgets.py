"""Budgets, the alerts they gave, days that cost more or less than usual, and monthly reports."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from costs.anomalies.choices import AnomalyState
from costs.budgets.choices import Basis, Currency, Scope
from services_registry.models import Function, FunctionRevision


def usual_thresholds() -> list[int]:
    return [50, 80, 100]


class Budget(models.Model):
    """So much money a calendar month (UTC) for one scope. Changed by `costs.budgets.services` only."""

    name = models.CharField(max_length=80, unique=True)
    scope = models.CharField(max_length=12, choices=Scope, default=Scope.CAPABILITY)
    key = models.CharField(
        max_length=120, blank=True, help_text=_("which capability, owner or account; empty for everything")
    )
    basis = models.CharField(max_length=10, choices=Basis, default=Basis.ESTIMATED)
    amount = models.DecimalField(max_digits=18, decimal_places=2, validators=[MinValueValidator(1)])
    currency = models.CharField(max_length=3, choices=Currency, default=Currency.USD)
    thresholds = ArrayField(
        models.PositiveSmallIntegerField(), default=usual_thresholds, blank=True, help_text=_("per cent, ascending")
    )
    tell_forecast = models.BooleanField(default=True, help_text=_("tell when the month will be over it"))
    people = ArrayField(
        models.CharField(max_length=150), default=list, blank=True,
        help_text=_("user names; empty: all administrators"),
    )  # fmt: skip
    active = models.BooleanField(default=True)
    created = models.DateTimeField(default=timezone.now)
    created_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["scope", "key", "basis", "currency"], name="budget_once_for_a_scope")
        ]

    def __str__(self) -> str:
        return self.name


class BudgetAlert(models.Model):
    """A threshold that was passed in a month: the row is what makes people hear of it once."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="alerts")
    month = models.DateField()
    threshold = models.PositiveSmallIntegerField(help_text=_("per cent; 0: the forecast was over"))
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    currency = models.CharField(max_length=3)
    spent = models.DecimalField(max_digits=60, decimal_places=30)
    forecast = models.DecimalField(max_digits=60, decimal_places=30, null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["budget", "month", "threshold"], name="budget_alert_once")]

    def __str__(self) -> str:
        return f"{self.budget_id} {self.month:%Y-%m} {self.threshold} %"


class CostAnomaly(models.Model):
    """A day on which one function (estimated) or one service (billed) cost far from the usual of its weekday.

    open -> dismissed, by a person with a reason; open -> gone, when later lines or bills made the day usual after all.
    `parts` add up to `delta` to the last digit.
    """

    day = models.DateField()
    basis = models.CharField(max_length=10, choices=Basis, default=Basis.ESTIMATED)
    function = models.ForeignKey(Function, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    service = models.CharField(max_length=200, blank=True)
    currency = models.CharField(max_length=10, default="USD")
    actual = models.DecimalField(max_digits=60, decimal_places=30)
    expected = models.DecimalField(max_digits=60, decimal_places=30, help_text=_("mean of the days compared with"))
    low = models.DecimalField(max_digits=60, decimal_places=30, help_text=_("from here to `high` is usual"))
    high = models.DecimalField(max_digits=60, decimal_places=30)
    delta = models.DecimalField(max_digits=60, decimal_places=30)
    days = models.PositiveSmallIntegerField(help_text=_("how many days it was compared with"))
    parts = models.JSONField(default=list, help_text=_("[{name, amount}]: exact decimals in text, the largest first"))
    facts = models.JSONField(default=dict, help_text=_("the numbers behind the parts, before and then"))
    revision = models.ForeignKey(FunctionRevision, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=AnomalyState, default=AnomalyState.OPEN)
    reason = models.CharField(max_length=300, blank=True)
    closed_by_name = models.CharField(max_length=150, blank=True)
    sample = models.BooleanField(default=False)
    found = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-day", "-delta", "-id"]
        verbose_name_plural = _("cost anomalies")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "basis", "function", "service", "currency"], nulls_distinct=False, name="anomaly_once"
            )
        ]
        indexes = [
            models.Index(fields=["-day", "-delta", "-id"], name="anomaly_recent"),
            models.Index(fields=["function", "-day"], name="anomaly_of_function"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.function_id or self.service}"


class MonthlyReport(models.Model):
    """The report of one month as it was made last."""

    month = models.DateField(unique=True, help_text=_("its first day"))
    file = models.CharField(max_length=200, help_text=_("where the PDF is stored"))
    pages = models.PositiveSmallIntegerField()
    bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    made = models.DateTimeField(default=timezone.now)
    made_by_name = models.CharField(max_length=150, blank=True)
    mailed = models.DateTimeField(null=True, blank=True, help_text=_("when people were told of it"))

    class Meta:
        ordering = ["-month"]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
