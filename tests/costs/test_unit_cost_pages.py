"""The page of costs per delivery, what is behind its bars, its file and its API."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from costs.choices import Step, UnitPart
from costs.estimate import exact_sum
from costs.models import ExchangeRate, UnitCost, UnitDay
from costs.selectors import batch_cost, shipment_cost
from costs.unit_costs.refresh import count
from services_registry.models import Batch, Function, FunctionDay
from shipments.models import Carrier
from tests.costs.test_unit_costs import batch_of, carriers, deliveries, keys

__all__ = ["carriers"]
pytestmark = pytest.mark.usefixtures("prices")
ClientAs = Callable[[User], Client]
Make = Callable[..., Function]
TODAY = datetime.now(UTC).date()
DAYS = [TODAY - timedelta(days=back) for back in (9, 2, 1)]


@pytest.fixture
def batches(make_function: Make, carriers: list[Carrier]) -> list[Batch]:
    renderer = make_function("renderer", memory_mb=1024)
    mine, theirs = deliveries(carriers[0], 4), deliveries(carriers[1], 2)
    made = [
        batch_of("render_pdf", "renderer", DAYS[0], (90_000, keys(mine[:2]))),
        batch_of("render_pdf", "renderer", DAYS[1], (50_000, keys(mine)), (70_001, keys(theirs))),
        batch_of("fetch_documents", "renderer", DAYS[1], (30_000, keys(mine[:1]))),
        batch_of("render_pdf", "renderer", DAYS[2], (10_000, keys(theirs[:1]))),
    ]
    FunctionDay.objects.create(
        function=renderer, day=DAYS[1], invocations=9, billed_ms=300_000, billed_mb_ms=307_200_000
    )
    count(DAYS[0], TODAY)
    return made


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return str(response.content.decode())


def usd_at(text: str, name: str) -> Decimal:
    found = re.search(rf'id="{name}" data-usd="([^"]+)"', text)
    assert found, text
    return Decimal(found[1])


def test_the_page_says_what_a_delivery_costs(batches: list[Batch], client_as: ClientAs, viewer: User) -> None:
    text = text_of(client_as(viewer), "/costs/deliveries/")
    whole = exact_sum(batch_cost(batch) for batch in batches)
    assert usd_at(text, "usd-on-deliveries") == whole
    assert usd_at(text, "usd-per-delivery") == whole / 9, "2 + 6 + 1, each once a day"
    assert "Iberpost" in text and "Rapide" in text and "outside of batches" in text and "Sample data" not in text


def test_filters_narrow_it_and_splits_are_by_the_other(
    batches: list[Batch], carriers: list[Carrier], client_as: ClientAs, viewer: User
) -> None:
    client = client_as(viewer)
    text = text_of(client, "/costs/deliveries/?carrier=rapide&by=kind")
    theirs = exact_sum(shipment_cost(row.pk) for row in carriers[1].shipments.all())
    assert usd_at(text, "usd-on-deliveries") == theirs
    assert "Make documents" in text and "outside of batches" not in text
    both = text_of(client, "/costs/deliveries/?carrier=iberpost&kind=fetch_documents")
    assert usd_at(both, "usd-on-deliveries") == batch_cost(batches[2])
    nothing = text_of(client, "/costs/deliveries/?kind=a_kind_of_before&step=hour&by=x")
    assert usd_at(nothing, "usd-on-deliveries") == 0 and "a_kind_of_before" in nothing
    assert client.get("/costs/deliveries/?carrier=nobody").status_code == 404


def test_weeks_count_a_delivery_once(batches: list[Batch], client_as: ClientAs, viewer: User) -> None:
    text = text_of(client_as(viewer), "/costs/deliveries/?step=week")
    weeks = UnitCost.objects.filter(step=Step.WEEK, part=UnitPart.ALL)
    whole = exact_sum(batch_cost(batch) for batch in batches)
    assert usd_at(text, "usd-per-delivery") == whole / sum(week.deliveries for week in weeks)


def test_a_bar_leads_to_batches_and_on_to_deliveries(
    batches: list[Batch], carriers: list[Carrier], client_as: ClientAs, viewer: User
) -> None:
    client = client_as(viewer)
    day = text_of(client, f"/costs/deliveries/behind/?step=day&at={DAYS[1]}&kind=render_pdf")
    assert f"/batches/{batches[1].pk}/" in day and f"/batches/{batches[2].pk}/" not in day
    behind = text_of(client, f"/costs/deliveries/behind/{batches[1].pk}/?at={DAYS[1]}&carrier=rapide")
    assert "rapide-0" in behind and "rapide-1" in behind and "iberpost-0" not in behind
    monday = DAYS[1] - timedelta(days=DAYS[1].weekday())
    week = client.get(f"/costs/deliveries/behind/?step=week&at={monday}&carrier=rapide", follow=True)
    asked = week.context["asked"]
    assert (asked.first, asked.last, asked.step) == (monday, monday + timedelta(days=6), Step.DAY)
    assert asked.carrier == carriers[1]
    assert client.get("/costs/deliveries/behind/?at=yesterday").status_code == 404
    assert client.get(f"/costs/deliveries/behind/?at={TODAY}&carrier=nobody").status_code == 404
    assert "No batch of this kind" in text_of(client, f"/costs/deliveries/behind/?at={DAYS[0]}&kind=fetch_documents")


def test_a_long_batch_is_shown_in_pages(
    make_function: Make, carriers: list[Carrier], client_as: ClientAs, viewer: User
) -> None:
    make_function("renderer")
    many = batch_of("render_pdf", "renderer", DAYS[1], (90_000, keys(deliveries(carriers[0], 60))))
    first = text_of(client_as(viewer), f"/costs/deliveries/behind/{many.pk}/?at={DAYS[1]}")
    assert first.count('scope="row"') == 50 and "position=50" in first
    rest = text_of(client_as(viewer), f"/costs/deliveries/behind/{many.pk}/?at={DAYS[1]}&position=50")
    assert rest.count('scope="row"') == 10 and 'rel="next"' not in rest


def test_the_file_has_every_digit(batches: list[Batch], client_as: ClientAs, viewer: User) -> None:
    response = client_as(viewer).get("/costs/deliveries/export.csv?by=kind")
    rows = csv_rows(response)
    assert exact_sum(Decimal(row["usd"]) for row in rows) == exact_sum(batch_cost(batch) for batch in batches)
    assert [row["kind_of_work"] for row in rows] == ["render_pdf", "fetch_documents", "render_pdf", "render_pdf"]


def test_a_year_is_shown_by_weeks_and_given_by_days(batches: list[Batch], client_as: ClientAs, viewer: User) -> None:
    client = client_as(viewer)
    assert "So long a time is shown by weeks" in text_of(client, "/costs/deliveries/?range=13m&step=day")
    assert "shown by weeks" not in text_of(client, "/costs/deliveries/?range=90d&step=day")
    response = client.get("/costs/deliveries/export.csv?range=13m&step=day")
    assert {row["step"] for row in csv_rows(response)} == {"day"}


def csv_rows(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))


def test_euros_are_by_the_rate_of_each_day(batches: list[Batch], client_as: ClientAs, viewer: User) -> None:
    ExchangeRate.objects.create(currency="EUR", valid_from=DAYS[2], per_usd=Decimal("0.5"), source="test")
    response = client_as(viewer).get("/costs/deliveries/export.csv")
    rows = csv_rows(response)
    rates = {Decimal(row["eur"]) / Decimal(row["usd"]): date.fromisoformat(row["start"]) for row in rows}
    assert rates[Decimal("0.5")] == DAYS[2] and set(rates) == {Decimal("0.5"), Decimal("0.87")}


def test_before_anything_is_counted_the_page_says_so(client_as: ClientAs, viewer: User) -> None:
    assert "Nothing is counted yet" in text_of(client_as(viewer), "/costs/deliveries/")
    UnitDay.objects.create(day=TODAY - timedelta(days=90), as_of=datetime.now(UTC))
    assert "No function did anything" in text_of(client_as(viewer), "/costs/deliveries/")


def test_the_page_needs_few_queries_however_much_there_is(
    batches: list[Batch], client_as: ClientAs, viewer: User, query_budget: Callable[[int], AbstractContextManager[None]]
) -> None:
    client = client_as(viewer)
    client.get("/costs/deliveries/")
    for address in ("/costs/deliveries/?range=13m&step=day", f"/costs/deliveries/behind/?at={DAYS[1]}"):
        with query_budget(14):
            assert client.get(address).status_code == 200


def test_the_api_gives_the_same(batches: list[Batch], api_client: Callable[[User], APIClient], viewer: User) -> None:
    client = api_client(viewer)
    answer = client.get("/api/v1/costs/deliveries/?range=30d&by=carrier").json()
    whole = exact_sum(batch_cost(batch) for batch in batches)
    assert Decimal(answer["total"]["usd"]) == whole == exact_sum(Decimal(row["usd"]) for row in answer["results"])
    assert answer["total"]["deliveries"] == 9
    only = client.get("/api/v1/costs/deliveries/?range=30d&carrier=rapide&kind=render_pdf&step=week").json()
    assert only["step"] == "week" and {row["carrier"] for row in only["results"]} == {"rapide"}
    assert json.dumps(only["not_attributed"]) == "null", "it belongs to no carrier"
    assert Decimal(answer["not_attributed"]["outside_of_batches_usd"]) > 0
    for wrong in ("carrier=nobody", "by=nothing", "step=hour", "range=x"):
        assert client.get(f"/api/v1/costs/deliveries/?{wrong}").status_code == 400
