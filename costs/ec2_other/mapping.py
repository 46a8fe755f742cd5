"""Usage type to kind, by the dated rows of the mapping. One query when made; make one for each request or task."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from costs.choices import ChargeCategory
from costs.ec2_other.choices import UsageKind
from costs.models import UsageMapping

_NO_REGION = ("AWS-", "EBS-", "LCU-", "VPN-", "NAT-")
EC2 = "AmazonEC2"
# The names under which bills tell of a service: product code, product name, Cost Explorer's and FOCUS's.
SERVICES: dict[str, tuple[str, ...]] = {
    EC2: ("AmazonEC2", "Amazon Elastic Compute Cloud", "EC2 - Other", "Elastic Compute Cloud"),
    "AmazonEC2Compute": ("Amazon Elastic Compute Cloud - Compute",),
    "AmazonVPC": ("AmazonVPC", "Amazon Virtual Private Cloud"),
    "AWSELB": ("AWSELB", "Elastic Load Balancing", "Amazon Elastic Load Balancing"),
    "AmazonCloudWatch": ("AmazonCloudWatch", "Amazon CloudWatch"),
    "AWSLambda": ("AWSLambda", "AWS Lambda"),
}
_CODE_OF = {name: code for code, names in SERVICES.items() for name in names}
NAMES = tuple(_CODE_OF)


@lru_cache(maxsize=4096)
def without_region(usage_type: str) -> str:
    """`EUC1-NatGateway-Bytes` -> `NatGateway-Bytes`; `USE1-EUW2-AWS-Out-Bytes` -> `AWS-Out-Bytes`."""
    rest = usage_type
    while (found := re.match(r"^[A-Z]{2,4}\d?(?:[A-Z]{1,3}\d)?-(?=[A-Za-z])", rest)) and not rest.startswith(
        _NO_REGION
    ):
        rest = rest[found.end() :]
    return rest


def code_of(service: str, service_code: str = "") -> str:
    """The product code of a service as any bill names it; "" for services that have nothing to do with EC2-Other."""
    if service in _CODE_OF and service_code in ("", *SERVICES):
        return service_code or _CODE_OF[service]
    return _CODE_OF.get(service_code, "")


class Mapping:
    """The rows known now, looked up by day."""

    def __init__(self) -> None:
        self.rows: Sequence[UsageMapping] = list(UsageMapping.objects.order_by("rank", "pk"))
        self._compiled = [(row, _compiled(row.pattern)) for row in self.rows]
        self._known: dict[tuple[str, str, date], UsageKind] = {}

    def kind(self, code: str, usage_type: str, day: date, category: str = ChargeCategory.USAGE) -> UsageKind:
        """What a usage type of a service is on a day. EC2's own that no row knows are `UNMAPPED`."""
        if category == ChargeCategory.TAX:
            return UsageKind.TAX
        if code == "AmazonEC2Compute":
            return UsageKind.INSTANCES
        key = (code, usage_type, day)
        if key not in self._known:
            self._known[key] = self._find(code, usage_type, day)
        return self._known[key]

    def _find(self, code: str, usage_type: str, day: date) -> UsageKind:
        name = without_region(usage_type)
        wanted = "" if code == EC2 else code
        fitting = [
            row for row, pattern in self._compiled
            if row.service_code == wanted and row.valid_from <= day and pattern.fullmatch(name)
        ]  # fmt: skip
        if not fitting:
            return UsageKind.UNMAPPED
        latest: dict[str, UsageMapping] = {}
        for row in fitting:
            if row.pattern not in latest or row.valid_from > latest[row.pattern].valid_from:
                latest[row.pattern] = row
        return UsageKind(min(latest.values(), key=lambda row: (row.rank, -len(row.pattern), row.pk)).kind)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")))
