"""What usage types mean and which functions a billed resource serves: dated data, edited in the admin."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from costs.ec2_other.choices import GroupBy, UsageKind


class UsageMapping(models.Model):
    """The kind of all usage types that a pattern fits, from a day on. A later row of the same pattern replaces it from its day."""

    service_code = models.CharField(
        max_length=100, blank=True, help_text=_("AWS product code, for example AmazonVPC; empty: EC2's own")
    )
    pattern = models.CharField(
        max_length=120, help_text=_("of the whole usage type without its region prefix; * stands for anything")
    )
    kind = models.CharField(max_length=20, choices=UsageKind)
    rank = models.PositiveIntegerField(default=5, help_text=_("of several patterns that fit the smallest counts"))
    valid_from = models.DateField()
    source = models.CharField(max_length=300)
    checked_on = models.DateField()
    version = models.PositiveIntegerField(
        default=0, help_text=_("edition of the delivered mapping that it came with; 0: entered by hand")
    )

    class Meta:
        ordering = ["rank", "service_code", "pattern", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["service_code", "pattern", "valid_from"], name="usage_mapping_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.pattern} → {self.get_kind_display()}"


class ResourceUse(models.Model):
    """Which functions use a billed resource alone: an interface of their security group, a NAT gateway of their subnets."""

    resource = models.CharField(
        max_length=300, help_text=_("as the bill names it, or the end of its ARN: eni-0a1b, nat-0c2d")
    )
    group_by = models.CharField(max_length=20, choices=GroupBy, default=GroupBy.SECURITY_GROUP)
    value = models.CharField(max_length=140, help_text=_("for example sg-0a1b2c3d"))
    valid_from = models.DateField()
    source = models.CharField(max_length=300, help_text=_("how that is known"))

    class Meta:
        ordering = ["resource", "-valid_from"]
        constraints = [models.UniqueConstraint(fields=["resource", "valid_from"], name="resource_use_once_a_day")]

    def __str__(self) -> str:
        return f"{self.resource}: {self.get_group_by_display()} {self.value}"
