"""What would have saved how much of one month's EC2-Other. Numbers from the bill's quantities and the price book of each
region, and the assumptions beside them. Ways overlap: their savings must not be added up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from costs.choices import Meter
from costs.ec2_other.assumptions import Assumptions, share
from costs.ec2_other.choices import UsageKind
from costs.ec2_other.network import Use
from costs.ec2_other.reading import GIB, Line
from costs.estimate import EXACT, PriceBook

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True, slots=True)
class Way:
    """`saving` in USD of the month; negative: it would have cost more. None: a price is not known."""

    name: str
    title: _StrOrPromise
    saving: Decimal | None
    how: _StrOrPromise
    facts: Sequence[tuple[_StrOrPromise, str]] = ()


@dataclass(slots=True)
class Region:
    """What one region's bill and telemetry say of the month."""

    name: str
    nat_gb: Decimal = Decimal(0)
    nat_hours: Decimal = Decimal(0)
    cross_gb: Decimal = Decimal(0)
    call_gb: Decimal = Decimal(0)
    cold_gb: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Prices:
    """USD of one region on the month's last day."""

    nat_gb: Decimal
    nat_hour: Decimal
    endpoint_hour: Decimal
    endpoint_gb: Decimal
    cross_gb: Decimal


def regions_of(lines: Iterable[Line], uses: Iterable[Use], assumed: Assumptions) -> list[Region]:
    """The regions in which NAT was billed. Bytes of calls and cold starts count at most as much as went through NAT."""
    found: dict[str, Region] = {}
    with localcontext(EXACT):
        for line in lines:
            name = line.region or settings.AWS_REGION
            region = found.setdefault(name, Region(name))
            if line.kind == UsageKind.NAT_BYTES:
                region.nat_gb += line.gb
            elif line.kind == UsageKind.NAT_HOURS:
                region.nat_hours += line.quantity or 0
            elif line.kind == UsageKind.CROSS_AZ:
                region.cross_gb += line.gb
        for use in uses:
            if use.function.region in found:
                here = found[use.function.region]
                per_call = assumed.bytes_per_call if use.payload_bytes is None else use.payload_bytes
                here.call_gb += use.calls * per_call / GIB
                here.cold_gb += use.cold_starts * assumed.bytes_per_cold_start / GIB
    return sorted((region for region in found.values() if region.nat_gb or region.nat_hours), key=lambda r: r.name)


def prices_of(book: PriceBook, region: str, day: date) -> Prices | None:
    """None when one of them is not known."""
    meters = (Meter.NAT_GB, Meter.NAT_HOUR, Meter.ENDPOINT_HOUR, Meter.ENDPOINT_GB, Meter.CROSS_AZ_GB)
    known = [usd for meter in meters if (usd := book.usd(region, meter, "", day)) is not None]
    return Prices(*known) if len(known) == len(meters) else None


def ways_out(regions: Sequence[Region], month: date, assumed: Assumptions, book: PriceBook, day: date) -> list[Way]:
    """The ways of all regions together up to `day`, whose prices count; the largest saving first."""
    hours = Decimal(((day - month).days + 1) * 24)
    sums: defaultdict[str, list[Decimal | None]] = defaultdict(list)
    facts: dict[str, list[tuple[_StrOrPromise, str]]] = defaultdict(list)
    with localcontext(EXACT):
        for region in regions:
            prices = prices_of(book, region.name, day)
            if prices is None:
                for name in _WORDS:
                    sums[name].append(None)
                continue
            for name, saving, told in _of_region(region, prices, hours, assumed):
                sums[name].append(saving)
                facts[name] += [
                    (label, f"{value} ({region.name})" if len(regions) > 1 else value) for label, value in told
                ]
        ways = [
            Way(name, title, _whole(sums[name]), how, facts[name])
            for name, (title, how) in _WORDS.items()
            if sums[name]
        ]
    return sorted(ways, key=lambda way: -(way.saving if way.saving is not None else Decimal(-(10**12))))


def _whole(parts: Sequence[Decimal | None]) -> Decimal | None:
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if known else None


Told = list[tuple["_StrOrPromise", str]]


def _of_region(
    region: Region, prices: Prices, hours: Decimal, assumed: Assumptions
) -> Iterable[tuple[str, Decimal, Told]]:
    of_functions = share(region.nat_gb, assumed.functions_share)
    s3_gb = share(region.nat_gb, assumed.s3_share)
    yield "gateway_endpoint", s3_gb * prices.nat_gb, [(_("GB to S3 and DynamoDB"), _gb(s3_gb))]
    yield "out_of_vpc", of_functions * prices.nat_gb, [(_("GB of functions through NAT"), _gb(of_functions))]
    cold_gb = min(region.cold_gb, of_functions)
    yield "in_the_image", cold_gb * prices.nat_gb, [(_("GB pulled at cold starts"), _gb(cold_gb))]
    cut_gb = share(min(region.call_gb, of_functions), assumed.payload_cut)
    yield "smaller_payloads", cut_gb * prices.nat_gb, [(_("GB less in calls"), _gb(cut_gb))]
    moved = share(of_functions, assumed.endpoint_share)
    standing = prices.endpoint_hour * hours * assumed.endpoints * assumed.zones
    saving = moved * (prices.nat_gb - prices.endpoint_gb) - standing
    told: Told = [(_("GB moved"), _gb(moved)), (_("the endpoints alone cost, USD"), f"{standing:.2f}")]
    if prices.nat_gb > prices.endpoint_gb:
        told.append((_("break-even at GB a month"), _gb(standing / (prices.nat_gb - prices.endpoint_gb))))
    yield "interface_endpoints", saving, told
    gateways = region.nat_hours / hours
    if gateways > 1:
        # With one gateway, traffic of the other zones crosses to it; both ends of each GB are paid.
        crossing = region.nat_gb * (gateways - 1) / gateways
        saving = (region.nat_hours - hours) * prices.nat_hour - crossing * prices.cross_gb * 2
        yield "one_gateway", saving, [
            (_("NAT gateways on average"), f"{gateways:.1f}"), (_("GB that would cross zones"), _gb(crossing)),
        ]  # fmt: skip
    elif gateways and assumed.zones > 1:
        crossing = min(region.cross_gb, region.nat_gb * (assumed.zones - 1) / assumed.zones)
        saving = crossing * prices.cross_gb * 2 - (assumed.zones - 1) * hours * prices.nat_hour
        yield "gateway_per_zone", saving, [(_("GB that would no longer cross zones"), _gb(crossing))]


def _gb(value: Decimal) -> str:
    return f"{value:,.1f}"


_WORDS: dict[str, tuple[_StrOrPromise, _StrOrPromise]] = {
    "gateway_endpoint": (
        _("A gateway endpoint for S3 and DynamoDB"),
        _("Free, no hours, no GB: one route in the route tables of the private subnets. Functions need no change."),
    ),
    "out_of_vpc": (
        _("Functions out of the VPC"),
        _("A function that needs nothing private needs no VPC; S3, SQS and DynamoDB are free of transfer then. What it sends "
          "to the internet is still paid, under Lambda. NAT hours stay while anything else uses the gateways."),
    ),
    "in_the_image": (
        _("Libraries in the image or a layer"),
        _("What is downloaded at each cold start comes with the code instead. Starts become faster too."),
    ),
    "smaller_payloads": (
        _("Smaller payloads"),
        _("Pack documents, or send a key in S3 (with the gateway endpoint) instead of the document."),
    ),
    "interface_endpoints": (
        _("Interface endpoints for other AWS services"),
        _("Cheaper than NAT for each GB, but they cost hours in every zone: they pay off above the break-even."),
    ),
    "one_gateway": (
        _("One NAT gateway instead of one for each zone"),
        _("Fewer hours, but the other zones' traffic crosses to it, and the zone becomes a single point of failure."),
    ),
    "gateway_per_zone": (
        _("A NAT gateway in each zone"),
        _("Traffic stays in its zone, for the price of more gateway hours."),
    ),
}  # fmt: skip
