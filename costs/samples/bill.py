"""A made-up company bill of half a year that tells the EC2-Other story: functions were put into a private network, and from
then on they pull libraries and documents through a NAT gateway. FOCUS 1.0 with the columns that AWS adds.

The same functions, history and day give the same file.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from costs.choices import Meter
from costs.estimate import PriceBook
from costs.samples.lambda_lines import Discounts, lambda_lines
from costs.samples.lines import Row
from services_registry.models import Function

DAYS = 182
SEED = 20_261_124
GATEWAYS = ("nat-0c2d4e6f80000001", "nat-0c2d4e6f80000002")
INTERFACE_OF_LABELS, INTERFACE_ALONE = "eni-01abe15000000001", "eni-0be29057000000003"
_PREFIXES = {"us-east-1": "", "eu-west-1": "EU-", "eu-central-1": "EUC1-", "us-west-2": "USW2-", "eu-west-2": "EUW2-"}
# Share of the NAT traffic by what the bill names: two interfaces that flow logs tell apart, and the gateways for the rest.
_TRAFFIC = (
    (INTERFACE_OF_LABELS, Decimal("0.34")), (INTERFACE_ALONE, Decimal("0.11")),
    (GATEWAYS[0], Decimal("0.33")), (GATEWAYS[1], Decimal("0.22")),
)  # fmt: skip
_FIRST_GB, _LAST_GB = 55.0, 1350.0  # through NAT a day, at the beginning and at the end
_FALLBACK = "eu-west-1"


@dataclass(frozen=True, slots=True)
class _Price:
    """Prices of the region, or where the book does not know it, of Ireland."""

    book: PriceBook
    region: str

    def usd(self, meter: str, day: date) -> Decimal:
        found = self.book.usd(self.region, meter, "", day)
        return found or self.book.usd(_FALLBACK, meter, "", day) or Decimal(0)


def bill_rows(functions: list[Function], until: date) -> Iterator[Row]:
    """The lines of `DAYS` days that end before `until`."""
    if not functions:
        return
    region, account = functions[0].region, functions[0].account
    price, prefix = _Price(PriceBook(), region), _PREFIXES.get(region, "")
    first = (until - timedelta(days=DAYS)).replace(day=1)
    days = [first + timedelta(days=n) for n in range((until - first).days)]
    for n, day in enumerate(days):
        for row in _network(price, prefix, day, n / len(days)):
            yield row.placed(region, account)
        for row in _servers(price, prefix, day, n / len(days)):
            yield row.placed(region, account)
    for row in lambda_lines(functions, first, until, prefix, Discounts()):
        yield row.placed(region, account)


def _network(price: _Price, prefix: str, day: date, passed: float) -> Iterator[Row]:
    dice = random.Random(f"{SEED}-{day}")  # noqa: S311  # made-up data
    weekly = (1.0, 1.05, 1.05, 1.1, 1.15, 0.6, 0.45)[day.weekday()]
    gb = Decimal(round(_FIRST_GB * (_LAST_GB / _FIRST_GB) ** passed * weekly * dice.uniform(0.93, 1.07), 3))
    ec2 = "Amazon Elastic Compute Cloud", "AmazonEC2"
    for gateway in GATEWAYS:
        yield _row(
            day, *ec2, f"{prefix}NatGateway-Hours", gateway, Decimal(24), "Hours", price.usd(Meter.NAT_HOUR, day)
        )
    for resource, part in _TRAFFIC:
        yield _row(day, *ec2, f"{prefix}NatGateway-Bytes", resource, gb * part, "GB", price.usd(Meter.NAT_GB, day))
    out = gb * Decimal("0.16")
    yield _row(day, *ec2, f"{prefix}DataTransfer-Out-Bytes", GATEWAYS[0], out, "GB", price.usd(Meter.EGRESS_GB, day))
    yield _row(day, *ec2, f"{prefix}DataTransfer-In-Bytes", GATEWAYS[0], gb - out, "GB", Decimal(0))
    zones = gb * Decimal("0.9")
    yield _row(day, *ec2, f"{prefix}DataTransfer-Regional-Bytes", "", zones, "GB", price.usd(Meter.CROSS_AZ_GB, day))
    yield _row(day, *ec2, f"{prefix}USE1-AWS-Out-Bytes", "", Decimal("2.4"), "GB", Decimal("0.02"))


def _servers(price: _Price, prefix: str, day: date, passed: float) -> Iterator[Row]:
    """Disks and addresses, and what is looked for in EC2-Other but is elsewhere."""
    ec2 = "Amazon Elastic Compute Cloud", "AmazonEC2"
    month_part = Decimal(1) / Decimal(30)
    disk, copy = Decimal(900), Decimal(round(600 + 500 * passed))
    volume = f"{prefix}EBS:VolumeUsage.gp3", "vol-0d15c00000000001"
    yield _row(day, *ec2, *volume, disk * month_part, "GB-Mo", Decimal("0.088"))
    yield _row(
        day, *ec2, f"{prefix}EBS:SnapshotUsage", "", copy * month_part, "GB-Mo", price.usd(Meter.SNAPSHOT_GB_MONTH, day)
    )
    yield _row(day, *ec2, f"{prefix}ElasticIP:IdleAddress", "", Decimal(24), "Hours", price.usd(Meter.IPV4_HOUR, day))
    yield _row(day, *ec2, f"{prefix}CPUCredits:t3", "i-0aa0000000000001", Decimal("1.5"), "vCPU-Hours", Decimal("0.05"))
    yield _row(day, *ec2, f"{prefix}BoxUsage:t3.large", "i-0aa0000000000001", Decimal(24), "Hours", Decimal("0.0912"))
    vpc = "Amazon Virtual Private Cloud", "AmazonVPC"
    yield _row(day, *vpc, f"{prefix}PublicIPv4:InUseAddress", "", Decimal(72), "Hours", price.usd(Meter.IPV4_HOUR, day))
    balancer = "Elastic Load Balancing", "AWSELB", f"{prefix}LoadBalancerUsage"
    yield _row(day, *balancer, "", Decimal(24), "Hours", Decimal("0.0252"))
    logs = Decimal(round(4 + 9 * passed, 3))
    watch = "AmazonCloudWatch", "AmazonCloudWatch", f"{prefix}DataProcessing-Bytes"
    yield _row(day, *watch, "", logs, "GB", price.usd(Meter.LOG_GB, day))


def _row(
    day: date, service: str, code: str, usage_type: str, resource: str, quantity: Decimal, unit: str, usd: Decimal
) -> Row:
    cost = (quantity * usd).quantize(Decimal("1E-10"), ROUND_HALF_EVEN)
    return Row(day, day + timedelta(days=1), service, code, usage_type, resource, quantity, unit, cost)
