"""The mapping's first content: facts with their source, written once and editable in the admin afterwards.

A pattern is matched against the whole usage type without its region prefix; `*` stands for anything. Of several that match,
the one with the smallest rank counts. An empty service means any of EC2's.
"""

from __future__ import annotations

from datetime import date

from costs.ec2_other.choices import UsageKind
from costs.models import UsageMapping

VERSION = 1
SOURCE = "AWS Cost and Usage Report guide, data dictionary; handbook.vantage.sh on EC2-Other; nops.io on data transfer"
CHECKED = date(2026, 11, 24)
VALID_FROM = date(2006, 1, 1)  # usage types have meant the same for as long as bills go back

# rank, service code, pattern, kind
_ROWS = """
10 -                NatGateway-Hours                nat_hours
10 -                NatGateway-Prvd-*               nat_hours
10 -                RegionalNatGateway-*Hours       nat_hours
10 -                NatGateway-Bytes                nat_bytes
10 -                RegionalNatGateway-*Bytes       nat_bytes
20 -                DataTransfer-Regional-Bytes     cross_az
20 -                DataTransfer-xAZ-*-Bytes        cross_az
20 -                PublicIP-*-Bytes                cross_az
20 -                *AWS-Out-Bytes                  inter_region
20 -                *AWS-In-Bytes                   ingress
20 -                *AWS-Out-ABytes*                inter_region
20 -                *AWS-In-ABytes*                 ingress
20 -                DataTransfer-Out-Bytes          egress
20 -                DataTransfer-In-Bytes           ingress
20 -                DataTransfer-Out-ABytes*        egress
20 -                DataTransfer-In-ABytes*         ingress
20 -                *CloudFront-Out-Bytes           egress
20 -                *CloudFront-In-Bytes            ingress
20 -                *VpcPeering-*-Bytes             cross_az
30 -                EBS:VolumeUsage*                volumes
30 -                EBS:Volume*                     volumes
30 -                EBS:SnapshotUsage*              snapshots
30 -                EBS:SnapshotArchive*            snapshots
30 -                EBS:FastSnapshotRestore         snapshots
30 -                EBS:directAPI.snapshot*         snapshots
30 -                EBSOptimized:*                  ebs_optimized
40 -                ElasticIP:*                     idle_ipv4
40 -                CPUCredits:*                    cpu_credits
50 -                *PublicIPv4:*                   public_ipv4
50 -                BoxUsage*                       instances
50 -                SpotUsage*                      instances
50 -                HeavyUsage*                     instances
50 -                DedicatedUsage*                 instances
50 -                DedicatedRes:*                  instances
50 -                HostUsage*                      instances
50 -                HostBoxUsage*                   instances
50 -                HostReservedUsage*              instances
50 -                Reservation:*                   instances
50 -                DedicatedReservation:*          instances
50 -                UnusedBox*                      instances
50 -                UnusedDed*                      instances
50 -                LoadBalancerUsage               load_balancers
50 -                LCUUsage                        load_balancers
50 -                IdleProvisionedLBCapacity       load_balancers
50 -                DataProcessing-Bytes            load_balancers
50 -                VpcEndpoint-*                   endpoints
90 -                *AMIStorage*                    other
90 -                *TimedStorage*                  other
90 -                ClientVPN-*                     other
60 AmazonVPC        VpcEndpoint-*                   endpoints
60 AmazonVPC        PublicIPv4:*                    public_ipv4
60 AWSELB           *                               load_balancers
60 AmazonCloudWatch DataProcessing-Bytes            logs
60 AmazonCloudWatch VendedLog-Bytes                 logs
60 AmazonCloudWatch TimedStorage-ByteHrs            logs
60 AWSLambda        Lambda-*                        lambda
60 AWSLambda        Request*                        lambda
60 AWSLambda        *-Bytes                         lambda_transfer
"""


def seed_mapping() -> int:
    """Add the rows of this version that are missing; rows that exist, edited or not, stay as they are."""
    before = UsageMapping.objects.count()
    UsageMapping.objects.bulk_create(
        [
            UsageMapping(
                rank=int(rank), service_code="" if service == "-" else service, pattern=pattern, kind=UsageKind(kind),
                valid_from=VALID_FROM, source=SOURCE, checked_on=CHECKED, version=VERSION,
            )
            for rank, service, pattern, kind in (line.split() for line in _ROWS.strip().splitlines())
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return UsageMapping.objects.count() - before
