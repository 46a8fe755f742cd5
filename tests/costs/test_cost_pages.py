"""The cost page, the fragments, the panel and the API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from costs.models import ExchangeRate
from services_registry.choices import Origin
from services_registry.models import Batch, Chunk, Function, FunctionDay
from shipments.models import Carrier, Shipment

pytestmark = pytest.mark.usefixtures("prices")
ClientAs = Callable[[User], Client]
Make = Callable[..., Function]
Report = Callable[..., None]
ONE = 900 * Decimal("0.0000166667") + Decimal("0.0000002")


def usd_in(text: str) -> Decimal:
    found = re.search(r'data-usd="([^"]+)"', text)
    assert found, text
    return Decimal(found[1])


def days_of(function: Function, days: int, **fields: Any) -> None:
    today = timezone.now().date()
    usage = {"invocations": 1, "billed_mb_ms": 921_600_000, **fields}
    FunctionDay.objects.bulk_create(
        FunctionDay(function=function, day=today - timedelta(days=back), **usage) for back in range(days)
    )


def test_the_total_stands_beside_its_rate_and_source(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    days_of(make_function("dear", owner="documents"), 10)
    text = client_as(viewer).get("/costs/range/").content.decode()
    assert usd_in(text) == 10 * ONE
    assert "≈ $0.15" in text and "≈ €0.13" in text and "0.870000 per USD since 2025-08-01" in text
    assert "checked 2026-11-23" in text and "Sample data" not in text


def test_sample_data_is_named(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    days_of(make_function("made-up"), 3, origin=Origin.SAMPLE)
    assert "Sample data is part of these figures" in client_as(viewer).get("/costs/range/").content.decode()


def test_without_a_price_invocations_are_counted_not_guessed(
    make_function: Make, client_as: ClientAs, viewer: User
) -> None:
    days_of(make_function("elsewhere", region="mars-north-1"), 3)
    text = client_as(viewer).get("/costs/range/").content.decode()
    assert "3 invocations have no known price" in text


@pytest.mark.slow
def test_the_trend_stays_small_for_thirteen_months(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    for number in range(9):
        days_of(make_function(f"partners-import-carrier-number-{number}"), 397)
    for span in ("90d", "13m"):
        text = client_as(viewer).get(f"/costs/range/?range={span}").content.decode()
        figure = re.search(r'<script id="chart-trend-data" type="application/json">(.+?)</script>', text)
        assert figure and len(figure[1]) < 30_000
        assert len(json.loads(figure[1])["data"]) == 6


def test_the_page_costs_the_same_with_thirty_functions(
    make_function: Make, client_as: ClientAs, viewer: User, query_budget: Callable[[int], AbstractContextManager[None]]
) -> None:
    client = client_as(viewer)
    for count in (3, 30):
        Function.objects.all().delete()
        for number in range(count):
            days_of(make_function(f"f-{number}"), 5)
        with query_budget(13):
            assert client.get("/costs/range/").status_code == 200


def test_a_batch_shows_what_it_cost(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    make_function("renderer", memory_mb=1024)
    batch = Batch.objects.create(function_name="renderer", region="eu-west-1", title="PDFs", total=1)
    Chunk.objects.create(batch=batch, position=0, billed_ms=900_000, memory_mb=1024, attempt=1)
    Chunk.objects.create(batch=batch, position=1, attempt=1)
    text = client_as(viewer).get(f"/costs/batches/{batch.pk}/fragment/").content.decode()
    assert usd_in(text) == ONE
    assert "1 invocation did not state its billed time" in text


def test_a_batch_is_held_against_its_plan(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    make_function("renderer", memory_mb=1024)
    plan = {"usd": "0.0300012", "worst_usd": "9.5", "seconds": 12}
    batch = Batch.objects.create(
        function_name="renderer", region="eu-west-1", title="PDFs", total=4, succeeded=1, plan=plan
    )
    Chunk.objects.create(batch=batch, position=0, billed_ms=900_000, billed_invocations=1, memory_mb=1024, attempt=1)
    Chunk.objects.create(batch=batch, position=1, attempt=1, state="running")
    text = client_as(viewer).get(f"/costs/batches/{batch.pk}/fragment/").content.decode()
    assert "At this rate" in text and "$0.06" in text, "one of four items so far"
    assert "50 % of it spent" in text and "$9.50" in text
    assert "did not state" not in text, "what is under way has no bill yet"


def test_a_shipment_nobody_worked_on_cost_nothing(client_as: ClientAs, viewer: User) -> None:
    carrier = Carrier.objects.create(code="iberpost", name="Iberpost")
    shipment = Shipment.objects.create(tracking_number="T1", carrier=carrier)
    client = client_as(viewer)
    assert "has cost nothing" in client.get(f"/costs/shipments/{shipment.pk}/fragment/").content.decode()
    assert client.get("/costs/shipments/999999/fragment/").status_code == 404


def test_the_panel_compares_whole_weeks(make_function: Make, client_as: ClientAs, viewer: User) -> None:
    function = make_function("dear")
    today = timezone.now().date()
    for back, calls in ((1, 3), (8, 2)):
        usage = {"invocations": calls, "billed_mb_ms": 921_600_000 * calls}
        FunctionDay.objects.create(function=function, day=today - timedelta(days=back), **usage)
    text = client_as(viewer).get("/costs/home/").content.decode()
    assert "≈ $0.05" in text and "+50.0 %" in text


def test_the_api_gives_exact_amounts(
    make_function: Make, api_client: Callable[[User], APIClient], viewer: User
) -> None:
    days_of(make_function("dear"), 4)
    client = api_client(viewer)
    ExchangeRate.objects.create(currency="EUR", valid_from=timezone.now().date(), per_usd=Decimal("0.5"), source="test")
    daily = client.get("/api/v1/costs/daily/?range=7d").json()
    assert Decimal(daily["total"]["usd"]) == 4 * ONE
    assert Decimal(daily["total"]["eur"]) == 3 * ONE * Decimal("0.87") + ONE / 2
    functions = client.get("/api/v1/costs/functions/?range=7d").json()
    assert [(row["name"], Decimal(row["usd"])) for row in functions["results"]] == [("dear", 4 * ONE)]
    prices = client.get("/api/v1/prices/?region=eu-west-1&meter=request").json()["results"]
    assert Decimal(prices[0]["usd"]) == Decimal("0.0000002")
    assert client.get("/api/v1/costs/daily/?range=bad").status_code == 400
