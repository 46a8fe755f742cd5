"""Servers that the work of a function could move to, and what each function could be changed to, as last reckoned."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from costs.choices import WayOut
from costs.models.units import exact_usd
from services_registry.models import Function


class ServerType(models.Model):
    """What one size of server holds. Its price is in the price book (meter `server_hour`, item: the name)."""

    name = models.CharField(max_length=40, primary_key=True, help_text=_("like t4g.small"))
    architecture = models.CharField(max_length=10, help_text=_("x86_64 or arm64"))
    vcpus = models.PositiveSmallIntegerField()
    memory_mb = models.PositiveIntegerField()
    baseline = models.DecimalField(
        max_digits=4, decimal_places=3, default=1,
        help_text=_("share of each vCPU that it may use all the time; below 1 for burstable ones"),
    )  # fmt: skip
    offered = models.BooleanField(default=True, help_text=_("whether what-ifs look at it"))
    source = models.CharField(max_length=300)
    checked_on = models.DateField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class WhatIf(models.Model):
    """What one function's last 30 days would have cost otherwise, with the usual assumptions. USD a month of 730 hours."""

    function = models.OneToOneField(Function, primary_key=True, on_delete=models.CASCADE, related_name="+")
    as_of = models.DateTimeField()
    calls = models.BigIntegerField(help_text=_("in the days looked at"))
    days = models.PositiveSmallIntegerField(help_text=_("looked at"))
    busy_share = models.FloatField(help_text=_("of the time with at least one call running"))
    p95_ms = models.FloatField(null=True)
    cold_share = models.FloatField()
    usd = exact_usd(help_text=_("as it is"))
    server = models.CharField(max_length=40, blank=True)
    servers = models.PositiveSmallIntegerField(default=0)
    server_usd = exact_usd(null=True)
    arm_usd = exact_usd(null=True)
    memory_mb = models.PositiveIntegerField(null=True)
    memory_usd = exact_usd(null=True)
    way = models.CharField(max_length=10, choices=WayOut)
    gain = exact_usd(help_text=_("by the best way"))
    sample = models.BooleanField(default=False)

    class Meta:
        ordering = ["-gain", "function"]
        indexes = [models.Index(fields=["-gain", "function"], name="what_if_by_gain")]

    def __str__(self) -> str:
        return f"{self.function_id}: {self.way}"

    @property
    def calls_per_day(self) -> float:
        return self.calls / self.days
