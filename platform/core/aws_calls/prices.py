"""The first content of the prices of calls: facts with their source, written once and editable in the admin afterwards."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from core.aws_calls.models import AwsCallPrice, PaidBy

CHECKED = date(2026, 11, 23)
_PRICES = (
    ("cloudwatch", "GetMetricData", PaidBy.METRIC, Decimal("0.00001"), date(2018, 7, 1),
     "aws.amazon.com/cloudwatch/pricing: 0.01 USD per 1,000 metrics requested, outside the free tier"),
    ("ce", "", PaidBy.REQUEST, Decimal("0.01"), date(2017, 11, 1),
     "aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing: 0.01 USD per API request, every page counts"),
    ("logs", "StartQuery", PaidBy.GB, Decimal("0.005"), date(2018, 11, 1),
     "aws.amazon.com/cloudwatch/pricing: Logs Insights, 0.005 USD per GB scanned in us-east-1; elsewhere enter your own"),
)  # fmt: skip


def seed_prices() -> int:
    """Add the rows that are missing; those that exist, edited or not, stay. Returns how many were added."""
    before = AwsCallPrice.objects.count()
    AwsCallPrice.objects.bulk_create(
        (
            AwsCallPrice(
                service=service, operation=operation, paid_by=paid_by, usd=usd, valid_from=valid_from, source=source,
                checked_on=CHECKED,
            )
            for service, operation, paid_by, usd, valid_from, source in _PRICES
        ),
        ignore_conflicts=True,
    )  # fmt: skip
    return AwsCallPrice.objects.count() - before
