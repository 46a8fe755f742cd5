"""The price book's first content: facts with their source, written once and editable in the admin afterwards."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from costs.models import ExchangeRate, Price
from costs.models.prices import Meter

SOURCE = "AWS Lambda public price list (first tier), as of the 2026-08-31 offer; infracost golden tests for tiers"
CHECKED = date(2026, 11, 23)
VALID_FROM = date(2025, 8, 1)  # INIT is billed since then; earlier days are not estimated
ARM = "arm64"
X86 = "x86_64"

# region: x86 GB-s, arm GB-s, million requests, provisioned idle GB-s (x86), /tmp GB-s above 512 MB
_ROWS = """
eu-west-1       0.0000166667 0.0000133334 0.20 0.0000046460 0.0000000340
eu-west-2       0.0000166667 0.0000133334 0.20 0.0000048304 0.0000000358
eu-west-3       0.0000166667 0.0000133334 0.20 0.0000048673 0.0000000358
eu-central-1    0.0000166667 0.0000133334 0.20 0.0000050147 0.0000000367
eu-central-2    0.0000183334 0.0000146667 0.22 0.0000055162 0.0000000441
eu-north-1      0.0000166667 0.0000133334 0.20 0.0000044248 0.0000000323
eu-south-1      0.0000195172 0.0000156138 0.23 0.0000048783 0.0000000357
us-east-1       0.0000166667 0.0000133334 0.20 0.0000041667 0.0000000309
us-west-1       0.0000166667 0.0000133334 0.20 0.0000049041 0.0000000370
ap-northeast-1  0.0000166667 0.0000133334 0.20 0.0000053835 0.0000000370
ap-east-1       0.0000229200 0.0000183000 0.28 0.0000057153 0.0000000407
sa-east-1       0.0000166667 0.0000133334 0.20 0.0000066372 0.0000000586
af-south-1      0.0000221000 0.0000176800 0.27 0.0000055300 0.0000000404
"""
_MILLION = Decimal(1_000_000)


def seed_prices() -> int:
    """Add the rows that are missing; rows that exist, edited or not, stay as they are. Returns how many were added."""
    before = Price.objects.count()
    Price.objects.bulk_create(_prices(), ignore_conflicts=True)
    ExchangeRate.objects.get_or_create(
        currency="EUR",
        valid_from=VALID_FROM,
        defaults={"per_usd": Decimal("0.870000"), "source": "planning rate, enter your own in the admin"},
    )
    return Price.objects.count() - before


def _prices() -> list[Price]:
    prices = []
    for row in _ROWS.strip().splitlines():
        region, x86, arm, requests, idle, storage = row.split()
        for meter, architecture, usd in (
            (Meter.GB_SECOND, X86, Decimal(x86)),
            (Meter.GB_SECOND, ARM, Decimal(arm)),
            (Meter.REQUEST, "", Decimal(requests) / _MILLION),
            (Meter.PROVISIONED_GB_SECOND, X86, Decimal(idle)),
            (Meter.EPHEMERAL_GB_SECOND, "", Decimal(storage)),
        ):
            prices.append(
                Price(region=region, meter=meter, architecture=architecture, usd=usd, valid_from=VALID_FROM,
                      source=SOURCE, checked_on=CHECKED)
            )  # fmt: skip
    return prices
