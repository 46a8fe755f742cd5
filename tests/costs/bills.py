"""Small bills written by tests."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

FOCUS = {
    "ProviderName": "AWS", "BillingAccountId": "111122223333", "SubAccountId": "111122223333", "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-10-01 00:00:00", "ChargePeriodStart": "2026-10-05 00:00:00",
    "ChargePeriodEnd": "2026-10-06 00:00:00", "ChargeCategory": "Usage", "ServiceName": "AWS Lambda",
    "RegionId": "eu-west-1", "ResourceId": "", "BilledCost": "1", "EffectiveCost": "1", "ListCost": "1",
    "ContractedCost": "1", "Tags": "",
}  # fmt: skip
CUR = {
    "bill/PayerAccountId": "111122223333", "lineItem/UsageAccountId": "111122223333",
    "bill/BillingPeriodStartDate": "2026-10-01T00:00:00Z", "lineItem/UsageStartDate": "2026-10-05T00:00:00Z",
    "lineItem/UsageEndDate": "2026-10-05T01:00:00Z", "lineItem/LineItemType": "Usage",
    "lineItem/ProductCode": "AWSLambda", "product/ProductName": "AWS Lambda",
    "lineItem/UsageType": "EU-Lambda-GB-Second", "lineItem/Operation": "Invoke", "lineItem/ResourceId": "",
    "lineItem/CurrencyCode": "USD", "lineItem/UsageAmount": "1", "lineItem/UnblendedCost": "1",
    "lineItem/BlendedCost": "1", "pricing/publicOnDemandCost": "1", "pricing/unit": "GB-Second",
}  # fmt: skip


def write_bill(path: Path, rows: Iterable[Mapping[str, str]], base: Mapping[str, str] = FOCUS) -> Path:
    """A CSV: each row is what differs from a usual line."""
    lines = [{**base, **row} for row in rows]
    columns = list(dict.fromkeys(name for line in lines for name in line))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(lines)
    return path


def import_costs(path: Path | str, *options: str) -> dict[str, Any]:
    """What the command says."""
    out = StringIO()
    call_command("import_costs", str(path), *options, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer
