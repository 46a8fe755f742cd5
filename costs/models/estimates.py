"""What estimates need beside prices: who has a free tier."""

from datetime import date
from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

# AWS Lambda pricing page, checked 2026-09-20: what the form offers, not what is counted.
OFFERED_REQUESTS = 1_000_000
OFFERED_GB_SECONDS = Decimal(400_000)


class FreeTier(models.Model):
    """What one AWS account need not pay in a calendar month. Accounts without a row have none."""

    account = models.CharField(max_length=12, help_text=_("the account's number"))
    requests = models.PositiveBigIntegerField(default=OFFERED_REQUESTS, help_text=_("a month"))
    gb_seconds = models.DecimalField(
        max_digits=24, decimal_places=0, default=OFFERED_GB_SECONDS, validators=[MinValueValidator(0)],
        help_text=_("a month"),
    )  # fmt: skip
    valid_from = models.DateField(help_text=_("the whole month of this day counts"))
    valid_until = models.DateField(null=True, blank=True, help_text=_("the month of this day counts no more"))
    source = models.CharField(max_length=300)

    class Meta:
        ordering = ["account", "-valid_from"]
        constraints = [models.UniqueConstraint(fields=["account", "valid_from"], name="free_tier_once")]

    def __str__(self) -> str:
        return f"{self.account} from {self.valid_from}"

    def holds_in(self, month: date) -> bool:
        """`month` is its first day."""
        begins = self.valid_from.replace(day=1)
        return begins <= month and (self.valid_until is None or month < self.valid_until.replace(day=1))
