"""Dated prices: facts with a source, never constants. A new price never rewrites the past."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from costs.choices import Meter


class Price(models.Model):
    """USD per unit of one meter in one region from a day on, until a later row of the same meter."""

    region = models.CharField(max_length=30)
    meter = models.CharField(max_length=30, choices=Meter)
    item = models.CharField(
        max_length=40, blank=True, help_text=_("which kind, where a meter has several: t4g.small, gp3; else empty")
    )
    architecture = models.CharField(max_length=10, blank=True, help_text=_("x86_64, arm64 or empty for both"))
    tier_from = models.DecimalField(
        max_digits=24, decimal_places=0, default=0, help_text=_("units a month from which it holds")
    )
    usd = models.DecimalField(max_digits=20, decimal_places=12)
    valid_from = models.DateField()
    source = models.CharField(max_length=300)
    checked_on = models.DateField(
        null=True, blank=True, help_text=_("empty: not yet held against AWS's price list; refresh_prices does that")
    )

    class Meta:
        ordering = ["region", "meter", "item", "architecture", "tier_from", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["region", "meter", "item", "architecture", "tier_from", "valid_from"], name="price_once_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.region} {self.meter} {self.item or self.architecture} {self.usd} USD from {self.valid_from}"


class ExchangeRate(models.Model):
    """USD to another currency from a day on."""

    currency = models.CharField(max_length=3, default="EUR")
    per_usd = models.DecimalField(max_digits=12, decimal_places=6)
    valid_from = models.DateField()
    source = models.CharField(max_length=300)

    class Meta:
        ordering = ["currency", "-valid_from"]
        constraints = [models.UniqueConstraint(fields=["currency", "valid_from"], name="rate_once_a_day")]

    def __str__(self) -> str:
        return f"1 USD = {self.per_usd} {self.currency} from {self.valid_from}"
