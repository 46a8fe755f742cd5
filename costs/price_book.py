"""The price book's first content: facts with their source, written once and editable in the admin afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from costs.choices import Meter
from costs.models import ExchangeRate, Price

SOURCE = "AWS Lambda public price list (first tier), as of the 2026-08-31 offer; infracost golden tests for tiers"
NETWORK = "AWS public price list, offer of 2026-09-25; infracost golden tests; nops.io on data transfer"
PUBLIC = "AWS public price pages (EC2, EBS, S3, CloudWatch), not held against an offer file: run refresh_prices"
EXPLORER = "aws.amazon.com/aws-cost-management/aws-cost-explorer/faqs"
CHECKED = date(2026, 11, 23)
VALID_FROM = date(2025, 8, 1)  # INIT is billed since then; earlier days are not estimated
ARM = "arm64"
X86 = "x86_64"

# region: x86 GB-s, arm GB-s, million requests, provisioned idle GB-s and run GB-s (x86), /tmp GB-s above 512 MB
_LAMBDA = """
eu-west-1       0.0000166667 0.0000133334 0.20 0.0000046460 0.0000108407 0.0000000340
eu-west-2       0.0000166667 0.0000133334 0.20 0.0000048304 0.0000112709 0.0000000358
eu-west-3       0.0000166667 0.0000133334 0.20 0.0000048673 0.0000113569 0.0000000358
eu-central-1    0.0000166667 0.0000133334 0.20 0.0000050147 0.0000117011 0.0000000367
eu-central-2    0.0000183334 0.0000146667 0.22 0.0000055162 0.0000128712 0.0000000441
eu-north-1      0.0000166667 0.0000133334 0.20 0.0000044248 0.0000103245 0.0000000323
eu-south-1      0.0000195172 0.0000156138 0.23 0.0000048783 0.0000113827 0.0000000357
us-east-1       0.0000166667 0.0000133334 0.20 0.0000041667 0.0000097222 0.0000000309
us-west-1       0.0000166667 0.0000133334 0.20 0.0000049041 0.0000114430 0.0000000370
ap-northeast-1  0.0000166667 0.0000133334 0.20 0.0000053835 0.0000125615 0.0000000370
ap-east-1       0.0000229200 0.0000183000 0.28 0.0000057153 0.0000133358 0.0000000407
sa-east-1       0.0000166667 0.0000133334 0.20 0.0000066372 0.0000154867 0.0000000586
af-south-1      0.0000221000 0.0000176800 0.27 0.0000055300 0.0000129000 0.0000000404
"""
# region, meter, architecture, units a month from which it holds, USD
_TIERS = """
us-east-1 gb_second x86_64  6000000000 0.0000150000
us-east-1 gb_second x86_64 15000000000 0.0000133334
us-east-1 gb_second arm64   7500000000 0.0000120001
us-east-1 gb_second arm64  18750000000 0.0000106667
us-east-1 provisioned_gb_second     arm64 0 0.0000033334
us-east-1 provisioned_run_gb_second arm64 0 0.0000077778
"""
# region, meter, units a month from which it holds, USD
_NETWORK = """
eu-west-1 nat_hour         0 0.048
eu-west-1 nat_gb           0 0.048
us-east-1 nat_hour         0 0.045
us-east-1 nat_gb           0 0.045
eu-west-1 egress_gb        0 0.09
eu-west-1 egress_gb    10240 0.085
eu-west-1 egress_gb    51200 0.07
eu-west-1 egress_gb   153600 0.05
us-east-1 egress_gb        0 0.09
us-east-1 egress_gb    10240 0.085
us-east-1 egress_gb    51200 0.07
us-east-1 egress_gb   153600 0.05
eu-west-1 cross_az_gb      0 0.01
us-east-1 cross_az_gb      0 0.01
us-east-1 endpoint_hour    0 0.01
us-east-1 endpoint_gb      0 0.01
us-east-1 endpoint_gb 1048576 0.006
us-east-1 endpoint_gb 5242880 0.004
eu-west-1 endpoint_hour    0 0.011
eu-west-1 endpoint_gb      0 0.01
"""
# meter, item, and USD in us-east-1, eu-west-1, eu-central-1
_OTHERS = """
nat_hour          -          -        -        0.052
nat_gb            -          -        -        0.052
egress_gb         -          -        -        0.09
cross_az_gb       -          -        -        0.01
endpoint_hour     -          -        -        0.012
endpoint_gb       -          -        -        0.01
s3_put            -          0.000005 0.000005 0.0000054
s3_get            -          0.0000004 0.0000004 0.00000043
s3_gb_month       -          0.023    0.023    0.0245
log_gb            -          0.50     0.57     0.63
log_gb_month      -          0.03     0.03     0.0324
metric_month      -          0.30     0.30     0.30
metric_request    -          0.00001  0.00001  0.00001
server_hour       t4g.nano   0.0042   0.0046   0.0048
server_hour       t4g.micro  0.0084   0.0092   0.0096
server_hour       t4g.small  0.0168   0.0184   0.0192
server_hour       t4g.medium 0.0336   0.0368   0.0384
server_hour       t4g.large  0.0672   0.0736   0.0768
server_hour       t3.nano    0.0052   0.0057   0.0060
server_hour       t3.micro   0.0104   0.0114   0.0120
server_hour       t3.small   0.0208   0.0228   0.0240
server_hour       t3.medium  0.0416   0.0456   0.0480
server_hour       t3.large   0.0832   0.0912   0.0960
ebs_gb_month      gp3        0.08     0.088    0.0952
snapshot_gb_month -          0.05     0.05     0.054
ipv4_hour         -          0.005    0.005    0.005
"""
_OTHER_REGIONS = ("us-east-1", "eu-west-1", "eu-central-1")
_MILLION = Decimal(1_000_000)


def seed_prices() -> int:
    """Add the rows that are missing; rows that exist, edited or not, stay as they are. Returns how many were added."""
    before = Price.objects.count()
    Price.objects.bulk_create([*_lambda(), *_tiers(), *_network(), *_others()], ignore_conflicts=True)
    ExchangeRate.objects.get_or_create(
        currency="EUR",
        valid_from=VALID_FROM,
        defaults={"per_usd": Decimal("0.870000"), "source": "planning rate, enter your own in the admin"},
    )
    return Price.objects.count() - before


def _price(region: str, meter: str, usd: Decimal | str, *, source: str = SOURCE, **more: Any) -> Price:
    checked = None if source == PUBLIC else CHECKED
    return Price(
        region=region, meter=meter, usd=Decimal(usd), valid_from=VALID_FROM, source=source, checked_on=checked, **more
    )


def _lambda() -> Iterator[Price]:
    for row in _rows(_LAMBDA):
        region, x86, arm, requests, idle, run, storage = row
        yield _price(region, Meter.GB_SECOND, x86, architecture=X86)
        yield _price(region, Meter.GB_SECOND, arm, architecture=ARM)
        yield _price(region, Meter.REQUEST, Decimal(requests) / _MILLION)
        yield _price(region, Meter.PROVISIONED_GB_SECOND, idle, architecture=X86)
        yield _price(region, Meter.PROVISIONED_RUN_GB_SECOND, run, architecture=X86)
        yield _price(region, Meter.EPHEMERAL_GB_SECOND, storage)


def _tiers() -> Iterator[Price]:
    for region, meter, architecture, tier, usd in _rows(_TIERS):
        yield _price(region, meter, usd, architecture=architecture, tier_from=Decimal(tier))


def _network() -> Iterator[Price]:
    for region, meter, tier, usd in _rows(_NETWORK):
        yield _price(region, meter, usd, tier_from=Decimal(tier), source=NETWORK)


def _others() -> Iterator[Price]:
    for meter, item, *usds in _rows(_OTHERS):
        for region, usd in zip(_OTHER_REGIONS, usds, strict=True):
            if usd != "-":
                yield _price(region, meter, usd, item="" if item == "-" else item, source=PUBLIC)
    yield _price("us-east-1", Meter.COST_EXPLORER_REQUEST, "0.01", source=EXPLORER)


def _rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.strip().splitlines()]
