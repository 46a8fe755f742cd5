"""The price book held against AWS's price list. A price that changed becomes a new row from today on: the past stays.

`WANTED` says for each meter which products of the list carry it; usage types have a region's prefix except in us-east-1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.audit import record
from core.aws.prices import ListedPrice, listed_prices
from costs.choices import Meter
from costs.models import Price
from services_registry.models import Function

ARM, X86 = "arm64", "x86_64"
_SERVERS = ("t4g.nano", "t4g.micro", "t4g.small", "t4g.medium")
_LINUX = {
    "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used",
    "operation": "RunInstances",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """Products of one service, and which meter the end of their usage type means: {ending: (meter, item, architecture)}."""

    service: str
    meters: Mapping[str, tuple[Meter, str, str]]
    filters: Mapping[str, str] = field(default_factory=dict)
    region_field: str = "regionCode"


WANTED = (
    Wanted(
        "AWSLambda",
        {
            "Lambda-GB-Second": (Meter.GB_SECOND, "", X86), "Lambda-GB-Second-ARM": (Meter.GB_SECOND, "", ARM),
            "Request": (Meter.REQUEST, "", ""), "Lambda-Storage-GB-Second": (Meter.EPHEMERAL_GB_SECOND, "", ""),
            "Lambda-Provisioned-Concurrency": (Meter.PROVISIONED_GB_SECOND, "", X86),
            "Lambda-Provisioned-Concurrency-ARM": (Meter.PROVISIONED_GB_SECOND, "", ARM),
            "Lambda-Provisioned-GB-Second": (Meter.PROVISIONED_RUN_GB_SECOND, "", X86),
            "Lambda-Provisioned-GB-Second-ARM": (Meter.PROVISIONED_RUN_GB_SECOND, "", ARM),
        },
    ),
    Wanted(
        "AmazonEC2",
        {"NatGateway-Hours": (Meter.NAT_HOUR, "", ""), "NatGateway-Bytes": (Meter.NAT_GB, "", "")},
        {"productFamily": "NAT Gateway"},
    ),
    Wanted(
        "AmazonVPC",
        {"VpcEndpoint-Hours": (Meter.ENDPOINT_HOUR, "", ""), "VpcEndpoint-Bytes": (Meter.ENDPOINT_GB, "", "")},
        {"productFamily": "VpcEndpoint"},
    ),
    Wanted(
        "AWSDataTransfer", {"DataTransfer-Out-Bytes": (Meter.EGRESS_GB, "", "")},
        {"transferType": "AWS Outbound"}, "fromRegionCode",
    ),
    Wanted(
        "AWSDataTransfer", {"DataTransfer-Regional-Bytes": (Meter.CROSS_AZ_GB, "", "")},
        {"transferType": "IntraRegion"}, "fromRegionCode",
    ),
    Wanted("AmazonEC2", {"EBS:VolumeUsage.gp3": (Meter.EBS_GB_MONTH, "gp3", "")}, {"volumeApiName": "gp3"}),
    *(
        Wanted("AmazonEC2", {f"BoxUsage:{size}": (Meter.SERVER_HOUR, size, "")}, {"instanceType": size, **_LINUX})
        for size in _SERVERS
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A price that is other than the book says, or that it did not have."""

    region: str
    meter: str
    item: str
    architecture: str
    tier_from: Decimal
    before: Decimal | None
    usd: Decimal


def price_regions() -> list[str]:
    """Our own region and those in which functions run."""
    regions = Function.objects.order_by().values_list("region", flat=True).distinct()
    return sorted({settings.AWS_REGION, *filter(None, regions)})


def refresh_from_list(regions: Collection[str], *, write: bool = True) -> list[Change]:
    """Ask AWS's price list and take over what is new from today on; what is the same is marked as checked today.

    Raises:
        AwsError: the price list cannot be asked; nothing of that region is changed then.
    """
    changes: list[Change] = []
    for region in regions:
        listed = _listed(region)
        with transaction.atomic():
            found = [change for key, price in listed.items() if (change := _compare(region, key, price, write=write))]
            if found and write:
                record(
                    actor=None, verb="prices.refreshed", source="schedule", target=f"costs.price:{region}",
                    after=[f"{c.meter} {c.item or c.architecture} {c.before} -> {c.usd}" for c in found],
                )  # fmt: skip
        changes += found
    return changes


Place = tuple[Meter, str, str, Decimal]


def _listed(region: str) -> dict[Place, ListedPrice]:
    found: dict[Place, ListedPrice] = {}
    for wanted in WANTED:
        for price in listed_prices(wanted.service, {wanted.region_field: region, **wanted.filters}):
            meter = _meter_of(wanted, price.usage_type)
            if meter and price.usd:
                found.setdefault((*meter, price.begins), price)
    return found


def _meter_of(wanted: Wanted, usage_type: str) -> tuple[Meter, str, str] | None:
    """By the whole usage type, or what follows the region's prefix (`EU-`, `EUC1-`)."""
    return wanted.meters.get(usage_type) or wanted.meters.get(usage_type.partition("-")[2])


def _compare(region: str, place: Place, listed: ListedPrice, *, write: bool) -> Change | None:
    meter, item, architecture, tier = place
    today = timezone.now().date()
    same = Price.objects.filter(region=region, meter=meter, item=item, architecture=architecture, tier_from=tier)
    held = same.filter(valid_from__lte=today).order_by("-valid_from").first()
    if held is not None and held.usd == listed.usd:
        if write:
            Price.objects.filter(pk=held.pk).update(checked_on=today)
        return None
    if write:
        _write(region, place, listed, today)
    return Change(region, meter, item, architecture, tier, held.usd if held else None, listed.usd)


def _write(region: str, place: Place, listed: ListedPrice, today: date) -> None:
    meter, item, architecture, tier = place
    source = f"AWS price list {listed.version} of {listed.published[:10]}, {listed.rate_code}"
    Price.objects.update_or_create(
        region=region, meter=meter, item=item, architecture=architecture, tier_from=tier, valid_from=today,
        defaults={"usd": listed.usd, "source": source[:300], "checked_on": today},
    )  # fmt: skip


def lines_of(changes: Collection[Change]) -> Iterator[dict[str, str | None]]:
    """For people and tools: exact text."""
    for change in changes:
        yield {
            "region": change.region, "meter": change.meter, "item": change.item, "architecture": change.architecture,
            "tier_from": f"{change.tier_from:f}", "before": None if change.before is None else f"{change.before:f}",
            "usd": f"{change.usd:f}",
        }  # fmt: skip
