"""Closed sets of EC2-Other with their labels and tones."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class UsageKind(models.TextChoices):
    """What a usage type is. The second group is not in EC2-Other, though people look for it there."""

    NAT_HOURS = "nat_hours", _("NAT gateway hours")
    NAT_BYTES = "nat_bytes", _("NAT gateway traffic")
    CROSS_AZ = "cross_az", _("Transfer between zones")
    INTER_REGION = "inter_region", _("Transfer to other regions")
    EGRESS = "egress", _("Transfer to the internet")
    INGRESS = "ingress", _("Transfer into AWS")
    VOLUMES = "volumes", _("EBS volumes")
    SNAPSHOTS = "snapshots", _("EBS snapshots")
    EBS_OPTIMIZED = "ebs_optimized", _("EBS-optimised instances")
    IDLE_IPV4 = "idle_ipv4", _("Elastic IP addresses")
    CPU_CREDITS = "cpu_credits", _("CPU credits")
    OTHER = "other", _("Other EC2 usage")
    UNMAPPED = "unmapped", _("Not mapped")

    INSTANCES = "instances", _("EC2 instances")
    LOAD_BALANCERS = "load_balancers", _("Load balancers")
    ENDPOINTS = "endpoints", _("VPC endpoints")
    PUBLIC_IPV4 = "public_ipv4", _("Public IPv4 addresses in use")
    LOGS = "logs", _("CloudWatch Logs")
    LAMBDA = "lambda", _("Lambda's own run time and requests")
    LAMBDA_TRANSFER = "lambda_transfer", _("Transfer of functions outside a VPC")
    TAX = "tax", _("Tax")


ELSEWHERE = (
    UsageKind.INSTANCES, UsageKind.LOAD_BALANCERS, UsageKind.ENDPOINTS, UsageKind.PUBLIC_IPV4, UsageKind.LOGS,
    UsageKind.LAMBDA, UsageKind.LAMBDA_TRANSFER, UsageKind.TAX,
)  # fmt: skip
"""Not in EC2-Other."""
OF_EC2_OTHER = tuple(kind for kind in UsageKind if kind not in ELSEWHERE)
NETWORK = (
    UsageKind.NAT_HOURS, UsageKind.NAT_BYTES, UsageKind.CROSS_AZ, UsageKind.INTER_REGION, UsageKind.EGRESS,
    UsageKind.INGRESS,
)  # fmt: skip
"""Caused by traffic, so that functions in a VPC can have a share in it."""


class Basis(models.TextChoices):
    """How sure an amount of a function is. The whole is always what was billed."""

    BILLED = "billed", _("billed")
    MEASURED = "measured", _("measured")
    ALLOCATED = "allocated", _("allocated")
    NOT_ATTRIBUTED = "not_attributed", _("cannot be attributed")


BASIS_TONES = {
    Basis.BILLED: "blue", Basis.MEASURED: "green", Basis.ALLOCATED: "yellow", Basis.NOT_ATTRIBUTED: "secondary",
}  # fmt: skip


class GroupBy(models.TextChoices):
    """How a billed resource names the functions that use it."""

    FUNCTION = "function", _("function of this name")
    SECURITY_GROUP = "security_group", _("functions with this security group")
    SUBNET = "subnet", _("functions in this subnet")
    CAPABILITY = "capability", _("functions of this capability")
    OWNER = "owner", _("functions of this owner")
