"""The EC2-Other page, the lines behind it, its CSV and the API, over bills taken in by the importer."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from costs.ec2_other.seed import seed_mapping
from services_registry.models import Batch, Chunk, Function, FunctionDay
from tests.costs.focus_bill import LAMBDA, VPC, line, take

pytestmark = pytest.mark.usefixtures("prices")
ClientAs = Callable[[User], Client]
Make = Callable[..., Function]
SEPTEMBER = date(2026, 9, 1)


@pytest.fixture
def bill(make_function: Make, tmp_path: Path) -> Function:
    seed_mapping()
    function = make_function("fetcher", in_vpc=True)
    FunctionDay.objects.create(
        function=function, day=date(2026, 10, 3), invocations=100, cold_starts=1024, billed_mb_ms=1
    )
    take(tmp_path, [
        line("EU-NatGateway-Bytes", "48.0000000001", quantity=Decimal(1000), resource="nat-1"),
        line("EU-NatGateway-Hours", "71.424", quantity=Decimal(1488), unit="Hours"),
        line("EU-NatGateway-Bytes", "24", quantity=Decimal(500), day=SEPTEMBER),
        line("EU-EBS:VolumeUsage.gp3", "5"),
        line("EU-BoxUsage:t3.large", "65"),
        line("EU-PublicIPv4:InUseAddress", "3.5", service=VPC),
        line("EU-Lambda-GB-Second", "99", service=LAMBDA),
        line("EU-SomethingNew-Units", "1.25"),
    ])  # fmt: skip
    return function


def test_without_a_bill_the_page_says_how_to_take_one_in(client_as: ClientAs, viewer: User) -> None:
    client = client_as(viewer)
    assert "import_costs" in client.get("/costs/ec2-other/").content.decode()
    assert client.get("/costs/ec2-other/export.csv").status_code == 200
    assert "No line of a bill" in client.get("/costs/ec2-other/rows/").content.decode()


def test_the_month_is_explained(bill: Function, client_as: ClientAs, viewer: User) -> None:
    text = client_as(viewer).get("/costs/ec2-other/?month=2026-10").content.decode()
    whole = re.search(r'data-amount="([^"]+)"', text)
    assert whole and Decimal(whole[1]) == Decimal("125.6740000001")
    assert "EU-SomethingNew-Units" in text and "Not mapped" in text
    for words in (
        "NAT gateway traffic",
        "NAT gateway hours",
        "EC2 instances",
        "Amazon Virtual Private Cloud",
        "fetcher",
    ):
        assert words in text, words
    assert "$65.00" in text and "$3.50" in text and "$99.00" in text, "what is elsewhere has its amount too"
    assert "+423.6 %" in text, "against the 24 USD of September"
    assert "Sample data" not in text


def test_a_wrong_address_shows_the_usual_and_never_fails(bill: Function, client_as: ClientAs, viewer: User) -> None:
    client = client_as(viewer)
    for query in ("month=2019-01", "month=x", "currency=XXX", "zones=99", "kb_per_call=-3", "s3_share=abc"):
        assert client.get(f"/costs/ec2-other/?{query}").status_code == 200, query
    for query in ("at=x", "at=2026-10-01&by=day&kind=nope", "at=2026-10-01&kind=tax", "cursor=abc"):
        assert client.get(f"/costs/ec2-other/rows/?{query}").status_code == 200, query
    assert "less than or equal to 6" in client.get("/costs/ec2-other/?zones=99").content.decode()


def saving(text: str, way: str) -> str:
    found = re.search(rf'data-way="{way}">([^<]+)<', text)
    assert found, way
    return found[1].strip()


def test_ways_out_follow_the_bill_the_price_book_and_the_assumptions(
    bill: Function, client_as: ClientAs, viewer: User
) -> None:
    client = client_as(viewer)
    page = "/costs/ec2-other/?month=2026-10"
    text = client.get(f"{page}&s3_share=25&mb_per_cold_start=100&endpoint_share=0").content.decode()
    assert saving(text, "gateway_endpoint") == "≈ $12.00", "a quarter of 1,000 GB at 0.048"
    assert saving(text, "out_of_vpc") == "≈ $48.00"
    assert saving(text, "in_the_image") == "≈ $4.80", "1,024 starts of 100 MiB are 100 GB"
    assert saving(text, "interface_endpoints") == "≈ -$32.74", "two in two zones for 744 hours at 0.011, nothing moved"
    assert saving(text, "one_gateway") == "≈ $25.71", "744 hours at 0.048 less 500 GB that cross zones at 2 x 0.01"
    assert "861.5" in text, "break-even: 32.736 / (0.048 - 0.01) GB"
    assert 'value="25"' in text, "the form keeps what was asked"
    assert saving(client.get(f"{page}&s3_share=100").content.decode(), "gateway_endpoint") == "≈ $48.00"


def test_measured_payloads_come_before_the_assumed_size(bill: Function, client_as: ClientAs, viewer: User) -> None:
    at = "2026-10-03T10:00:00Z"
    batch = Batch.objects.create(function_name="fetcher", region="eu-west-1", title="b", created=at)
    for position, sizes in enumerate(((1_000_000, 3_000_000), (2_000_000, None))):
        Chunk.objects.create(batch=batch, position=position, request_bytes=sizes[0], response_bytes=sizes[1])
    text = client_as(viewer).get("/costs/ec2-other/?month=2026-10").content.decode()
    assert "3.0 MB" in text and "assumed</td>" not in text


def test_behind_a_bar_are_the_lines_of_the_bill(bill: Function, client_as: ClientAs, viewer: User) -> None:
    client = client_as(viewer)
    page = client.get("/costs/ec2-other/?month=2026-10").content.decode()
    assert "/costs/ec2-other/rows/?currency=USD&amp;by=month&amp;at=" in page
    text = client.get("/costs/ec2-other/rows/?by=month&at=2026-10-01&kind=nat_bytes").content.decode()
    assert 'title="48.0000000001"' in text and "EU-NatGateway-Hours" not in text and "nat-1" in text
    every = client.get("/costs/ec2-other/rows/?by=day&at=2026-10-01").content.decode()
    assert every.count("<tr>") == 5 and "BoxUsage" not in every, "head and four lines of EC2-Other"
    assert "$24.00" in client.get("/costs/ec2-other/rows/?by=day&at=2026-09-01").content.decode()


def test_csv_and_api_add_up_to_what_was_billed(
    bill: Function, client_as: ClientAs, api_client: Callable[[User], APIClient], viewer: User
) -> None:
    answer: Any = client_as(viewer).get("/costs/ec2-other/export.csv?month=2026-10")
    rows = list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("125.6740000001")
    assert {(row["function"], row["basis"]) for row in rows} == {("fetcher", "allocated"), ("", "not_attributed")}
    client = api_client(viewer)
    told = client.get("/api/v1/costs/ec2-other/?month=2026-10").json()
    parts = [Decimal(told[name]) for name in ("measured", "allocated", "not_attributed")]
    assert sum(parts) == Decimal(told["billed"]) == Decimal("125.6740000001")
    assert sum(Decimal(row["billed"]) for row in told["kinds"]) == Decimal(told["billed"])
    assert told["not_mapped"] == [
        {"usage_type": "EU-SomethingNew-Units", "service": "Amazon Elastic Compute Cloud", "billed": "1.25"}
    ]
    assert told["elsewhere"]["instances"] == "65" and told["assumptions"]["s3_share"] == 50


def test_mapping_a_usage_type_in_the_admin_gives_it_a_kind(
    bill: Function, client_as: ClientAs, admin_user: User
) -> None:
    client = client_as(admin_user)
    row = {"pattern": "SomethingNew-*", "service_code": "", "kind": "other", "rank": 5, "valid_from": "2026-10-01",
           "source": "support case", "checked_on": "2026-11-24", "version": 0}  # fmt: skip
    assert client.post("/admin/costs/usagemapping/add/", row).status_code == 302
    text = client.get("/costs/ec2-other/?month=2026-10").content.decode()
    assert "EU-SomethingNew-Units" not in text and "Other EC2 usage" in text


def test_the_page_costs_the_same_with_thirty_functions(
    bill: Function, make_function: Make, client_as: ClientAs, viewer: User,
    query_budget: Callable[[int], AbstractContextManager[None]],
) -> None:  # fmt: skip
    client = client_as(viewer)
    for count in (3, 30):
        for number in range(count):
            make_function(f"f-{count}-{number}", in_vpc=True)
        with query_budget(18):
            assert client.get("/costs/ec2-other/?month=2026-10").status_code == 200
