"""What carriers' codes mean, as dated rows that people change: nothing about it is in the code."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shipments.choices import Family, Status
from shipments.models.carriers import Carrier


class Reason(models.Model):
    """The second level below a status: why it is so. A new meaning is a new row; old rows keep what held then."""

    code = models.SlugField(max_length=50)
    status = models.CharField(max_length=20, choices=Status)
    family = models.CharField(max_length=12, choices=Family, default=Family.UNKNOWN)
    label = models.CharField(max_length=120)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text=_("the first day on which it no longer holds"))

    class Meta:
        ordering = ["status", "code", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], name="reason_once"),
            models.CheckConstraint(
                condition=models.Q(valid_until=None) | models.Q(valid_until__gt=models.F("valid_from")),
                name="reason_has_length",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class CodeMapping(models.Model):
    """What a carrier's code means from a day on. Without a carrier it holds for all that have no own row."""

    carrier = models.ForeignKey(
        Carrier, null=True, blank=True, on_delete=models.CASCADE, related_name="mappings", help_text=_("empty: all")
    )
    code = models.CharField(max_length=40, help_text=_("as the carrier sends it; compared without regard to case"))
    status = models.CharField(max_length=20, choices=Status)
    reason = models.SlugField(max_length=50, blank=True)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text=_("the first day on which it no longer holds"))
    source = models.CharField(max_length=200, blank=True, help_text=_("where this is known from"))
    changed_by = models.CharField(max_length=150, blank=True)
    changed = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["carrier", "code", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["carrier", "code", "valid_from"], name="mapping_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(valid_until=None) | models.Q(valid_until__gt=models.F("valid_from")),
                name="mapping_has_length",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} → {self.status}"


class UnmappedCode(models.Model):
    """A code that no mapping knows, and how much waits on it. Kept up as events come in."""

    carrier = models.ForeignKey(Carrier, on_delete=models.CASCADE, related_name="unmapped_codes")
    code = models.CharField(max_length=40)
    text = models.CharField(max_length=500, blank=True, help_text=_("what the carrier wrote with it, the last time"))
    events = models.PositiveIntegerField(default=0)
    shipments = models.PositiveIntegerField(default=0, help_text=_("whose latest event this is"))
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-shipments", "-events", "code"]
        constraints = [models.UniqueConstraint(fields=["carrier", "code"], name="unmapped_once")]

    def __str__(self) -> str:
        return self.code


class AgeingRule(models.Model):
    """When a shipment has heard nothing for so long, it gets another status; no event is invented for it."""

    carrier = models.ForeignKey(
        Carrier, null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text=_("empty: all")
    )
    from_status = models.CharField(max_length=20, choices=Status)
    after_days = models.PositiveIntegerField()
    to_status = models.CharField(max_length=20, choices=Status)
    reason = models.SlugField(max_length=50, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["from_status", "after_days"]
        constraints = [
            models.UniqueConstraint(fields=["carrier", "from_status"], name="ageing_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.from_status} for {self.after_days} days → {self.to_status}"
