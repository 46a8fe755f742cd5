"""What work on deliveries cost, counted by `costs.unit_costs`: pages read these rows, never items of batches.

USD have 30 decimals: an invocation divides over its items to the last digit.
"""

from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from costs.choices import Step, UnitPart
from services_registry.models import Batch
from shipments.models import Carrier


def exact_usd(**options: Any) -> "models.DecimalField[Any, Any]":
    """USD to 1e-30."""
    return models.DecimalField(max_digits=48, decimal_places=30, default=None if options.get("null") else 0, **options)


class WorkFields(models.Model):
    """Invocations of batches that finished in a time, shared out over their items."""

    deliveries = models.PositiveIntegerField(default=0, help_text=_("worked on, each counted once"))
    items = models.PositiveIntegerField(default=0, help_text=_("of them"))
    usd = exact_usd(help_text=_("of these items"))
    other_items = models.PositiveIntegerField(default=0, help_text=_("of no single delivery: sweeps, manifests"))
    other_usd = exact_usd(help_text=_("of those, and of invocations whose items went elsewhere"))
    sample = models.BooleanField(default=False)

    class Meta:
        abstract = True

    @property
    def per_thousand(self) -> Decimal | None:
        """USD for a thousand deliveries, to 28 digits; None without any."""
        return self.usd / self.deliveries * 1_000 if self.deliveries else None


class UnitCost(WorkFields):
    """One UTC day, or one week by its Monday, of a carrier and a kind of work, of one of them, or of everything."""

    step = models.CharField(max_length=4, choices=Step)
    part = models.PositiveSmallIntegerField(choices=UnitPart)
    start = models.DateField()
    carrier = models.ForeignKey(
        Carrier, null=True, on_delete=models.CASCADE, related_name="+", db_index=False,
        help_text=_("empty: of no carrier, or of all, as `part` says"),
    )  # fmt: skip
    capability = models.CharField(max_length=60, blank=True, help_text=_("empty: plain runs, or all kinds"))

    class Meta:
        ordering = ["start"]
        constraints = [
            models.UniqueConstraint(
                fields=["step", "part", "start", "carrier", "capability"],
                name="unit_cost_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.step} {self.start}: {self.usd}"


class UnitBatch(WorkFields):
    """The part of one batch in a day, by carrier: the rows behind a bar."""

    day = models.DateField()
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="+")
    carrier = models.ForeignKey(Carrier, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["day", "batch", "carrier"], name="unit_batch_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} on {self.day}: {self.usd}"


class UnitDay(models.Model):
    """What functions did beside the batches of one UTC day, and when all of the day was counted."""

    day = models.DateField(primary_key=True)
    outside_usd = exact_usd(help_text=_("invocations outside of batches, of functions that work on deliveries"))
    elsewhere_usd = exact_usd(help_text=_("functions that work on no delivery"))
    account_usd = exact_usd(help_text=_("volume discount and free tier of the accounts; not above zero"))
    unpriced = models.BigIntegerField(default=0, help_text=_("invocations without a known price; in no amount"))
    sample = models.BooleanField(default=False)
    as_of = models.DateTimeField()

    class Meta:
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day}"
