"""What each kind of usage is and what to do about it, in words of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from costs.ec2_other.choices import UsageKind

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

WORDS: dict[str, _StrOrPromise] = {
    UsageKind.NAT_HOURS: _("Every hour that a NAT gateway exists, used or not; one for each zone is usual."),
    UsageKind.NAT_BYTES: _("Every GB that private subnets send or fetch through NAT: functions in a VPC, servers, containers. "
                           "S3 and DynamoDB count too, unless a gateway endpoint takes them."),
    UsageKind.CROSS_AZ: _("Traffic between zones of a region, paid at both ends; for example a function in one zone that uses "
                          "the NAT gateway or the database of another."),
    UsageKind.INTER_REGION: _("Traffic from one region to another."),
    UsageKind.EGRESS: _("Traffic to the internet. Through NAT a GB is paid twice: here and as NAT gateway traffic."),
    UsageKind.INGRESS: _("Traffic into AWS, which is free; it is listed because its bytes explain the NAT gateway's."),
    UsageKind.VOLUMES: _("Disks of servers, also of stopped ones, and disks that nothing uses any more."),
    UsageKind.SNAPSHOTS: _("Copies of disks. They stay until somebody deletes them."),
    UsageKind.EBS_OPTIMIZED: _("A surcharge of old instance types."),
    UsageKind.IDLE_IPV4: _("Reserved addresses that nothing uses, or second ones."),
    UsageKind.CPU_CREDITS: _("T-family servers that ran above their baseline without having saved up for it."),
    UsageKind.OTHER: _("Small things of EC2 that are none of these."),
    UsageKind.UNMAPPED: _("Usage types that no row of the mapping knows, or a bill that does not state usage types."),
    UsageKind.INSTANCES: _("Servers are “Amazon Elastic Compute Cloud - Compute” in Cost Explorer: BoxUsage, SpotUsage."),
    UsageKind.LOAD_BALANCERS: _("“Elastic Load Balancing” is a service of its own; older bills list it under EC2."),
    UsageKind.ENDPOINTS: _("“Amazon Virtual Private Cloud”: VpcEndpoint-Hours, -Bytes. Gateway endpoints cost nothing."),
    UsageKind.PUBLIC_IPV4: _("“Amazon Virtual Private Cloud” since February 2024: PublicIPv4:InUseAddress and :IdleAddress."),
    UsageKind.LOGS: _("“AmazonCloudWatch”: DataProcessing-Bytes is logs taken in. It only sounds like traffic."),
    UsageKind.LAMBDA: _("“AWS Lambda”: what the estimated costs are about. Being in a VPC does not change it."),
    UsageKind.LAMBDA_TRANSFER: _("“AWS Lambda”: a function outside a VPC pays for traffic to the internet there, without NAT."),
    UsageKind.TAX: _("“Tax” is a line of its own in Cost Explorer."),
}  # fmt: skip
