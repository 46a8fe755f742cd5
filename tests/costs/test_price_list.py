"""The price book against AWS's price list: what changed holds from today, the past keeps its prices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from django.core.management import CommandError, call_command
from django.utils import timezone

from core.aws.clients import boto_client
from costs.choices import Meter
from costs.estimate import estimate, price_of, tiered_usd
from costs.models import Price
from costs.price_book import seed_prices
from costs.price_list import WANTED
from services_registry.pricing import Usage

pytestmark = pytest.mark.usefixtures("prices")
REGION = "eu-west-1"


def offer(usage_type: str, *tiers: tuple[str, str]) -> str:
    dimensions = {
        str(n): {"unit": "u", "beginRange": begin, "pricePerUnit": {"USD": usd}, "rateCode": f"SKU.{n}"}
        for n, (begin, usd) in enumerate(tiers)
    }
    term = {"effectiveDate": "2026-11-01T00:00:00Z", "priceDimensions": dimensions}
    return json.dumps(
        {
            "product": {"attributes": {"usagetype": usage_type}}, "terms": {"OnDemand": {"t": term}},
            "version": "20261120", "publicationDate": "2026-11-20T00:00:00Z",
        }
    )  # fmt: skip


@pytest.fixture
def price_list() -> Iterator[Stubber]:
    with Stubber(boto_client("pricing", "us-east-1")) as stubber:
        yield stubber


def refresh(stubber: Stubber, offers: list[str], *options: str) -> list[dict[str, Any]]:
    """Lambda's products answer in two pages; the other services have nothing new."""
    asked = {"ServiceCode": "AWSLambda", "Filters": ANY, "FormatVersion": "aws_v1"}
    stubber.add_response("get_products", {"PriceList": offers[:1], "NextToken": "2"}, asked)
    stubber.add_response("get_products", {"PriceList": offers[1:]}, asked | {"NextToken": "2"})
    for _ in WANTED[1:]:
        stubber.add_response("get_products", {"PriceList": []})
    out = StringIO()
    call_command("refresh_prices", "--region", REGION, *options, stdout=out)
    changed: list[dict[str, Any]] = json.loads(out.getvalue())["changed"]
    return changed


def test_a_new_price_holds_from_today_and_the_past_stays(price_list: Stubber) -> None:
    today = timezone.now().date()
    usages = [
        Usage(region=REGION, architecture="x86_64", day=day, requests=1_000_000, billed_mb_ms=Decimal(1_024_000_000))
        for day in (today - timedelta(days=1), today)
    ]
    before = estimate(usages)
    offers = [
        offer("EU-Lambda-GB-Second", ("0", "0.0000200000"), ("6000000000", "0.0000150000")),
        offer("EU-Request", ("0", "0.0000002000")),
    ]
    assert len(refresh(price_list, offers, "--dry-run")) == 2 and estimate(usages) == before
    changed = refresh(price_list, offers)
    assert [(row["meter"], row["before"], row["usd"]) for row in changed] == [
        ("gb_second", "0.000016666700", "0.0000200000"), ("gb_second", None, "0.0000150000"),
    ]  # fmt: skip
    after = estimate(usages)
    assert after[0] == before[0] is not None and before[1] is not None
    assert after[1] == before[1] + 1000 * (Decimal("0.00002") - Decimal("0.0000166667"))
    held = Price.objects.get(region=REGION, meter=Meter.REQUEST)
    assert held.checked_on == today, "the same price was looked at"
    new = price_of(REGION, Meter.GB_SECOND, today, architecture="x86_64")
    assert new is not None and new.source == "AWS price list 20261120 of 2026-11-20, SKU.0"
    assert refresh(price_list, offers) == []


def test_a_refused_price_list_changes_nothing(price_list: Stubber) -> None:
    price_list.add_client_error("get_products", "AccessDeniedException", "no")
    count = Price.objects.count()
    with pytest.raises(CommandError, match="cannot be asked"):
        call_command("refresh_prices", "--region", REGION)
    assert Price.objects.count() == count


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "eu-central-1"])
def test_the_book_knows_network_storage_and_servers(region: str) -> None:
    day = timezone.now().date()
    for meter in Meter:
        if meter in (Meter.COST_EXPLORER_REQUEST,):
            continue
        items = {Meter.SERVER_HOUR: "t4g.small", Meter.EBS_GB_MONTH: "gp3"}
        architecture = (
            "x86_64" if meter in (Meter.GB_SECOND, Meter.PROVISIONED_GB_SECOND, Meter.PROVISIONED_RUN_GB_SECOND) else ""
        )
        price = price_of(region, meter, day, item=items.get(meter, ""), architecture=architecture)
        assert price is not None and price.usd > 0 and price.source, (region, meter)
    assert seed_prices() == 0, "seeding again adds nothing"


def test_egress_is_priced_by_tier() -> None:
    day = timezone.now().date()
    assert tiered_usd(REGION, Meter.EGRESS_GB, day, Decimal(20_480)) == 10_240 * Decimal("0.09") + 10_240 * Decimal(
        "0.085"
    )
    assert tiered_usd("mars-1", Meter.EGRESS_GB, day, Decimal(1)) is None


def test_a_price_that_nobody_has_checked_says_so() -> None:
    seed_prices()
    unchecked = Price.objects.filter(checked_on=None)
    assert unchecked.exists() and all("not held against" in price.source for price in unchecked)
    assert not Price.objects.filter(meter=Meter.GB_SECOND, checked_on=None).exists(), (
        "functions are priced by checked ones"
    )
