"""Billed costs: what bills say, summed by day and by everything that tells charges apart. Exact, never rounded.

Names are those of FOCUS (BilledCost, EffectiveCost, ChargePeriodStart, ServiceName, ...). One `CostImport` is one file, one
`BilledPeriod` is one account's billing month as one kind of bill tells it, `BilledCost` are its lines. A period that is
delivered again is replaced as a whole; what it replaced is kept in `DisplacedCost` for a while, so that it can be undone.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import ExactDecimalField
from costs.choices import BillSource, BillState, ChargeCategory


class CostImport(models.Model):
    """One file (or pull) of billed costs: looking -> waiting -> queued -> running -> done | failed; later replaced or undone.

    In `looking` a worker reads it and works out what it would change; in `waiting` a person is asked.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=300)
    file = models.FileField(max_length=250, blank=True)
    sha256 = models.CharField(max_length=64, db_index=True)
    account = models.CharField(
        max_length=120, blank=True, help_text=_("whose Cost Explorer answered; its answers do not say")
    )
    format = models.CharField(max_length=40, blank=True, help_text=_("as recognised, for example FOCUS 1.0"))
    source = models.CharField(max_length=20, choices=BillSource, blank=True)
    state = models.CharField(max_length=10, choices=BillState, default=BillState.WAITING)
    bytes = models.BigIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0, help_text=_("lines of the bill"))
    stored = models.PositiveBigIntegerField(default=0, help_text=_("sums that were stored for them"))
    period_start = models.DateField(null=True, blank=True)
    period_end = models.DateField(null=True, blank=True, help_text=_("the first day that is no longer in it"))
    totals = models.JSONField(default=dict, blank=True, help_text=_("{currency: {BilledCost: exact decimal, ...}}"))
    by_service = models.JSONField(default=dict, blank=True, help_text=_("{currency: {service: BilledCost}}"))
    changes = models.JSONField(default=list, blank=True, help_text=_("against what was known of the same periods"))
    notes = models.JSONField(default=list, blank=True)
    problem = models.CharField(max_length=1000, blank=True)
    door = models.CharField(max_length=20, default="page", help_text=_("page, api, command, schedule or sample"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_name = models.CharField(max_length=150, blank=True)
    created = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created", "-id"]
        indexes = [models.Index(fields=["-created", "-id"], name="cost_import_recent")]

    def __str__(self) -> str:
        return self.name


class BilledPeriod(models.Model):
    """One account's billing month as one kind of bill tells it. Figures on pages take the counted ones only."""

    source = models.CharField(max_length=20, choices=BillSource)
    detail = models.CharField(
        max_length=80, blank=True, help_text=_("what Cost Explorer was asked to group by; empty for whole bills")
    )
    provider = models.CharField(max_length=60)
    billing_account = models.CharField(max_length=120, blank=True)
    account = models.CharField(
        max_length=120, blank=True, help_text=_("set when the bill is of one member account alone")
    )
    month = models.DateField(help_text=_("the first day of the billing period"))
    counted = models.BooleanField(default=True, help_text=_("no when a better source tells of the same money"))
    estimated = models.BooleanField(default=False, help_text=_("the bill itself says that it may still change"))
    cost_import = models.ForeignKey(CostImport, on_delete=models.PROTECT, related_name="periods")
    changed = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-month", "provider", "billing_account", "source"]
        constraints = [
            models.UniqueConstraint(
                fields=["month", "provider", "billing_account", "account", "source", "detail"],
                name="billed_period_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.provider} {self.billing_account} {self.month:%Y-%m}"


class Amounts(models.Model):
    """The sums that every table of billed costs has. Null: the bill does not say."""

    quantity = ExactDecimalField(null=True, help_text=_("in `unit`"))
    billed_cost = ExactDecimalField(help_text=_("FOCUS BilledCost; UnblendedCost of AWS"))
    effective_cost = ExactDecimalField(null=True, help_text=_("FOCUS EffectiveCost; amortized"))
    list_cost = ExactDecimalField(null=True)
    contracted_cost = ExactDecimalField(null=True)
    blended_cost = ExactDecimalField(null=True, help_text=_("BlendedCost of AWS; not in FOCUS"))
    lines = models.BigIntegerField(help_text=_("lines of the bill"))

    class Meta:
        abstract = True


class Charge(Amounts):
    """The sum of a day's charges that are alike in everything that is told apart."""

    day = models.DateField(help_text=_("of ChargePeriodStart, UTC"))
    until = models.DateField(
        help_text=_("the first day after ChargePeriodEnd; more than a day later: a monthly charge")
    )
    account = models.CharField(max_length=120, blank=True, help_text=_("FOCUS SubAccountId"))
    service = models.CharField(max_length=200, blank=True, help_text=_("FOCUS ServiceName"))
    service_code = models.CharField(max_length=100, blank=True, help_text=_("AWS product code, for example AmazonEC2"))
    usage_type = models.CharField(max_length=200, blank=True)
    operation = models.CharField(max_length=200, blank=True)
    region = models.CharField(max_length=60, blank=True)
    resource = models.CharField(max_length=1000, blank=True, help_text=_("FOCUS ResourceId, often an ARN"))
    charge_category = models.CharField(max_length=20, choices=ChargeCategory)
    line_type = models.CharField(max_length=60, blank=True, help_text=_("what the bill calls it: Refund, RIFee, ..."))
    currency = models.CharField(max_length=10)
    capability = models.CharField(max_length=100, blank=True, help_text=_("value of the capability tag"))
    unit = models.CharField(max_length=60, blank=True)
    estimated = models.BooleanField(default=False)

    class Meta:
        abstract = True


class BilledCost(Charge):
    """A line of the bill that counts now."""

    period = models.ForeignKey(BilledPeriod, on_delete=models.CASCADE, related_name="costs")
    cost_import = models.ForeignKey(CostImport, on_delete=models.PROTECT, related_name="costs")

    class Meta:
        indexes = [
            models.Index(fields=["period", "day"], name="billed_period_day"),
            models.Index(fields=["resource", "day"], name="billed_resource_day", condition=~models.Q(resource="")),
            models.Index(fields=["usage_type", "day"], name="billed_usage_day"),
            models.Index(fields=["cost_import"], name="billed_import"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.service} {self.usage_type} {self.billed_cost} {self.currency}"


class DisplacedCost(Charge):
    """A line that a later import replaced. Kept for `BILL_UNDO_DAYS`, so that the import can be undone."""

    source = models.CharField(max_length=20)
    detail = models.CharField(max_length=80, blank=True)
    provider = models.CharField(max_length=60)
    billing_account = models.CharField(max_length=120, blank=True)
    period_account = models.CharField(max_length=120, blank=True)
    month = models.DateField()
    cost_import = models.ForeignKey(CostImport, on_delete=models.CASCADE, related_name="displaced")
    displaced_by = models.ForeignKey(CostImport, on_delete=models.CASCADE, related_name="displacing")

    class Meta:
        indexes = [models.Index(fields=["displaced_by"], name="displaced_by_import")]

    def __str__(self) -> str:
        return f"{self.day} {self.service} {self.billed_cost} {self.currency}"


class Rollup(Amounts):
    """What both rollups tell apart: everything but resources and operations."""

    account = models.CharField(max_length=120, blank=True)
    service = models.CharField(max_length=200, blank=True)
    service_code = models.CharField(max_length=100, blank=True)
    usage_type = models.CharField(max_length=200, blank=True)
    region = models.CharField(max_length=60, blank=True)
    charge_category = models.CharField(max_length=20, choices=ChargeCategory)
    line_type = models.CharField(max_length=60, blank=True)
    currency = models.CharField(max_length=10)
    capability = models.CharField(max_length=100, blank=True)
    unit = models.CharField(max_length=60, blank=True)
    estimated = models.BooleanField(default=False)

    class Meta:
        abstract = True


class BilledDay(Rollup):
    """What pages over days, services and usage types read."""

    period = models.ForeignKey(BilledPeriod, on_delete=models.CASCADE, related_name="day_sums")
    day = models.DateField()

    class Meta:
        indexes = [
            models.Index(fields=["day", "period"], name="billed_day_day"),
            models.Index(fields=["usage_type", "day"], name="billed_day_usage"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.service} {self.usage_type} {self.billed_cost} {self.currency}"


class BilledMonth(Rollup):
    """The same by calendar month of the day: what pages over a year read."""

    period = models.ForeignKey(BilledPeriod, on_delete=models.CASCADE, related_name="month_sums")
    month = models.DateField(help_text=_("of the charge's day"))

    class Meta:
        indexes = [models.Index(fields=["month", "period"], name="billed_month_month")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.service} {self.usage_type} {self.billed_cost} {self.currency}"


class BilledResourceMonth(Amounts):
    """Rollup of one resource (a function, a NAT gateway) by month and service; its usage types are in `BilledCost`."""

    period = models.ForeignKey(BilledPeriod, on_delete=models.CASCADE, related_name="resource_sums")
    month = models.DateField(help_text=_("of the charge's day"))
    account = models.CharField(max_length=120, blank=True)
    resource = models.CharField(max_length=1000)
    service = models.CharField(max_length=200, blank=True)
    service_code = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=60, blank=True)
    charge_category = models.CharField(max_length=20, choices=ChargeCategory)
    currency = models.CharField(max_length=10)
    capability = models.CharField(max_length=100, blank=True)
    estimated = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["month", "period"], name="billed_res_month"),
            models.Index(fields=["resource", "month"], name="billed_res_resource"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.resource} {self.billed_cost} {self.currency}"


class CostExplorerPull(models.Model):
    """One pull from Cost Explorer and what it cost us: AWS takes money for every request, pages included."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    first = models.DateField()
    end = models.DateField(help_text=_("the first day that was not asked for"))
    requests = models.PositiveIntegerField(default=0)
    usd = models.DecimalField(max_digits=12, decimal_places=4, default=0, help_text=_("what the requests cost"))
    cost_import = models.ForeignKey(CostImport, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.requests} requests"
