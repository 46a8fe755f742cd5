"""What the home page says, counted every few minutes (`shipments.rollups`): pages read these rows, never millions."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from shipments.models.carriers import Carrier


class HomePart(models.Model):
    """Numbers that are counted together, and when that worked the last time."""

    name = models.CharField(max_length=20, primary_key=True)
    as_of = models.DateTimeField(null=True, blank=True, help_text=_("empty: not counted yet"))
    whole_as_of = models.DateTimeField(
        null=True, blank=True, help_text=_("when all of it was counted, not the end only")
    )
    took_ms = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True, help_text=_("why the last try failed"))
    problem_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class HomeCount(models.Model):
    """How many deliveries (or messages) of a carrier are in one drawer of one kind, as of its part."""

    kind = models.CharField(max_length=20)
    carrier = models.ForeignKey(
        Carrier, null=True, on_delete=models.CASCADE, related_name="+", db_index=False, help_text=_("empty: all")
    )
    key = models.CharField(max_length=60)
    n = models.PositiveIntegerField()

    class Meta:
        ordering = ["kind", "key"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "key", "carrier"], name="home_count_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.n}"


class HomeHour(models.Model):
    """What happened in one hour (UTC): orders taken, deliveries, and deliveries that were tried in vain."""

    hour = models.DateTimeField()
    carrier = models.ForeignKey(
        Carrier, null=True, on_delete=models.CASCADE, related_name="+", db_index=False, help_text=_("empty: all")
    )
    orders = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["hour"]
        constraints = [models.UniqueConstraint(fields=["carrier", "hour"], name="home_hour_once", nulls_distinct=False)]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h"
