"""AWS's price list: what a unit costs on demand today, with the version it was read from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.aws.clients import OWN, Access, management_client
from core.aws.cost_explorer import REGION

MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """One price of one product: USD per unit from so many units a month on."""

    usage_type: str
    attributes: Mapping[str, str]
    unit: str
    usd: Decimal
    begins: Decimal
    effective: date
    rate_code: str
    version: str
    published: str


def listed_prices(service: str, filters: Mapping[str, str], *, access: Access = OWN) -> Iterator[ListedPrice]:
    """On-demand prices of a service's products that match all filters (attribute: value), all tiers.

    Raises:
        AwsError: the price list cannot be asked, or does not allow it.
    """
    client = management_client("pricing", REGION, access)
    wanted = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in filters.items()]
    token = ""
    for _page in range(MOST_PAGES):
        more = {"NextToken": token} if token else {}
        answer = client.get_products(ServiceCode=service, Filters=wanted, FormatVersion="aws_v1", **more)
        for text in answer.get("PriceList", []):
            yield from _prices_of(text)
        token = answer.get("NextToken", "")
        if not token:
            return


def _prices_of(text: str) -> Iterator[ListedPrice]:
    offer = json.loads(text)
    attributes = offer["product"].get("attributes", {})
    for term in offer.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            if "USD" not in dimension["pricePerUnit"]:
                continue
            yield ListedPrice(
                usage_type=attributes.get("usagetype", ""),
                attributes=attributes,
                unit=dimension.get("unit", ""),
                usd=Decimal(dimension["pricePerUnit"]["USD"]),
                begins=Decimal(dimension.get("beginRange", "0")),
                effective=date.fromisoformat(term["effectiveDate"][:10]),
                rate_code=dimension.get("rateCode", ""),
                version=offer.get("version", ""),
                published=offer.get("publicationDate", ""),
            )
