"""One line of the sample bill, and how it is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import IO

HEADER = (
    "ProviderName,PublisherName,InvoiceIssuerName,BillingAccountId,SubAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,"
    "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ChargeClass,ServiceName,x_ServiceCode,x_UsageType,RegionId,"
    "ResourceId,ConsumedQuantity,ConsumedUnit,ListCost,ContractedCost,BilledCost,EffectiveCost"
)


@dataclass(frozen=True, slots=True)
class Row:
    """USD. Costs that are None are the list cost."""

    day: date
    until: date
    service: str
    code: str
    usage_type: str
    resource: str
    quantity: Decimal
    unit: str
    listed: Decimal
    contracted: Decimal | None = None
    billed: Decimal | None = None
    effective: Decimal | None = None
    category: str = "Usage"
    region: str = ""
    account: str = ""

    def placed(self, region: str, account: str) -> Row:
        return replace(self, region=region, account=account)

    def written(self) -> str:
        """One line of CSV; nothing in it needs quotes."""
        month = self.day.replace(day=1)
        following = (month + timedelta(days=32)).replace(day=1)
        contracted = self.listed if self.contracted is None else self.contracted
        billed = contracted if self.billed is None else self.billed
        effective = billed if self.effective is None else self.effective
        cells = (
            "AWS", "AWS", "Amazon Web Services", self.account, self.account, "USD", month, following, self.day,
            self.until, self.category, "", self.service, self.code, self.usage_type, self.region, self.resource,
            f"{self.quantity:f}", self.unit, f"{self.listed:f}", f"{contracted:f}", f"{billed:f}", f"{effective:f}",
        )  # fmt: skip
        return ",".join(map(str, cells))


def write(rows: Iterable[Row], file: IO[str]) -> int:
    """Write the bill; returns the number of its lines."""
    file.write(f"{HEADER}\n")
    count = 0
    for row in rows:
        file.write(f"{row.written()}\n")
        count += 1
    return count
