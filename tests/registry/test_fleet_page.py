"""The fleet: the same charts over everything, by owner and capability, and what moved; from sums kept ready."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import plotly.graph_objects as go
import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.timerange import PRESETS, TimeRange
from costs.choices import Meter
from costs.models import Price
from costs.price_book import seed_prices
from services_registry.fleet_entries import entries_of
from services_registry.function_facts import summed
from services_registry.models import FleetDay, FleetHour, FleetUsage, Function, FunctionDay
from services_registry.samples.fleet import sample_fleet
from services_registry.samples.history import write_history
from services_registry.standings import refresh_standings

ClientAs = Callable[[User], Client]
ApiClient = Callable[[User], APIClient]
Make = Callable[..., Function]
Report = Callable[..., None]
SUMS = ("invocations", "errors", "billed_ms", "billed_mb_ms")


@pytest.fixture
def fleet(make_function: Make, report: Report) -> list[Function]:
    labels = make_function("labels", owner="documents", capability="render")
    quick = make_function("quick", owner="documents", architecture="arm64")
    track = make_function("track", owner="tracking", ephemeral_mb=2048)
    report(labels, count=30, billed_ms=2_000, init_ms=100.0)
    report(labels, count=5, billed_ms=30_000, status="timeout")
    report(labels, count=20, billed_ms=2_000, days_ago=9)
    report(quick, count=60, billed_ms=10)
    report(track, count=5, status="error")
    return [labels, quick, track]


def figures(text: str) -> dict[str, Any]:
    found = re.findall(r'<script id="chart-([\w-]+)-data" type="application/json">(.*?)</script>', text, re.DOTALL)
    named = {name: json.loads(data) for name, data in found}
    for figure in named.values():
        go.Figure(figure)
    return named


def numbers(figure: Any, name: str) -> list[Any]:
    return [n for trace in figure["data"] if trace["name"] == name for n in trace["y"] if n is not None]


@pytest.mark.parametrize("query", ["range=7d", "range=30d"])
def test_charts_add_up_what_all_functions_did(
    fleet: list[Function], client_as: ClientAs, viewer: User, query: str
) -> None:
    seed_prices()
    refresh_standings(PRESETS)
    text = client_as(viewer).get(f"/functions/fleet/?{query}&compare=1").content.decode()
    charts = figures(text)
    assert sum(numbers(charts["calls"], "succeeded")) == (90 if query == "range=7d" else 110)
    assert sum(numbers(charts["calls"], "errors") + numbers(charts["calls"], "timeouts")) == 10
    assert sum(numbers(charts["calls"], "the period before")) == (20 if query == "range=7d" else 0)
    assert numbers(charts["init"], "init") == [100.0]
    assert numbers(charts["durations"], "p50")[-1] == pytest.approx(10, rel=0.02)


def test_owners_and_capabilities_have_shares_and_links_to_their_lists(
    fleet: list[Function], client_as: ClientAs, viewer: User
) -> None:
    refresh_standings(PRESETS)
    client = client_as(viewer)
    text = client.get("/functions/fleet/?range=7d").content.decode()
    owners = text[text.index('id="by-owner"') : text.index('id="by-capability"')]
    assert 'href="/functions/?range=7d&amp;owner=documents"' in owners and "95.0 %" in owners
    assert "of only 5" in owners  # a rate of five calls says little
    listed = client.get("/functions/?range=7d&owner=documents").content.decode()
    assert "labels" in listed and ">track<" not in listed
    assert numbers(figures(text)["by-owner"], "documents")[-1] == 95
    capabilities = text[text.index('id="by-capability"') :]
    assert "owner" not in capabilities.split("<table")[1].split("</table>")[0] and ">render</a>" in capabilities
    moved = text[text.index('id="movers"') : text.index('id="by-owner"')]
    calls = moved[moved.index("Calls") : moved.index("Errors")]
    assert "labels" in calls and "↑" in calls and "track" not in calls  # too few calls to rank


def test_a_range_that_is_not_kept_is_summed_to_the_same_also_across_a_change_of_prices(
    fleet: list[Function], query_budget: Any
) -> None:
    seed_prices()
    price = Price.objects.get(region="eu-west-1", meter=Meter.REQUEST, valid_from__lte="2026-01-01", tier_from=0)
    Price.objects.create(
        region=price.region, meter=price.meter, architecture=price.architecture, usd=price.usd * 7, checked_on=price.checked_on,
        source="a test", valid_from=timezone.now().date() - timedelta(days=5),
    )  # fmt: skip
    for length in (timedelta(days=15), timedelta(days=7), timedelta(hours=47)):
        period = TimeRange(timezone.now() - length, timezone.now(), "custom", "")
        with query_budget(9):
            entries = {entry.pk: entry for entry in entries_of(period).rows}
        for facts in summed(fleet, period):
            entry = entries[facts.function.pk]
            for name in ("invocations", "errors", "cold_starts", "cost", "before_invocations", "before_cost"):
                assert getattr(entry, name) == getattr(facts, name), (length, name)


def test_an_empty_fleet_says_where_numbers_come_from(client_as: ClientAs, viewer: User) -> None:
    text = client_as(viewer).get("/functions/fleet/").content.decode()
    assert "Nothing was measured in this time" in text and "Telemetry" in text


@pytest.mark.parametrize("count", [3, 30])
def test_the_page_costs_few_queries(
    make_function: Make, report: Report, client_as: ClientAs, viewer: User, query_budget: Any, count: int
) -> None:
    for number in range(count):
        report(make_function(f"f{number}", owner=f"o{number}"))
    refresh_standings(PRESETS)
    client = client_as(viewer)
    client.get("/functions/fleet/")
    for address in ("/functions/fleet/?range=30d", "/functions/fleet/?range=24h"):
        with query_budget(9):
            client.get(address)


def test_the_course_and_the_groups_over_rest(fleet: list[Function], api_client: ApiClient, viewer: User) -> None:
    seed_prices()
    client = api_client(viewer)
    series = client.get("/api/v1/functions/fleet/series/?range=30d").json()
    assert (series["step"], [point["invocations"] for point in series["points"]]) == ("day", [20, 100])
    assert Decimal(series["points"][0]["cost"]) == 20 * (Decimal("0.0000166667") + Decimal("0.0000002"))
    for query in ("range=30d", "range=7d"):  # days, hours
        of_all, by_function = (
            sum(
                Decimal(point["cost"])
                for address in addresses
                for point in client.get(f"/api/v1/functions/{address}").json()["points"]
            )
            for addresses in ([f"fleet/series/?{query}"], [f"{function.pk}/series/?{query}" for function in fleet])
        )
        assert of_all == by_function > 0
    answer = client.get("/api/v1/functions/fleet/groups/?by=owner&range=7d").json()
    assert [(group["name"], group["functions"], group["invocations"]) for group in answer["groups"]] == [
        ("documents", 2, 95), ("tracking", 1, 5),
    ]  # fmt: skip
    assert answer["groups"][0]["before_invocations"] == 20
    assert client.get("/api/v1/functions/fleet/groups/?by=colour").status_code == 400
    assert client.get("/api/v1/functions/fleet/series/?range=9y").status_code == 400


def test_every_sum_of_the_fleet_is_that_of_its_functions(make_function: Make, fleet: list[Function]) -> None:
    shapes = sample_fleet(0)[:3]
    write_history({shape.name: make_function(shape.name) for shape in shapes}, shapes)
    for origin in ("reports", "sample"):
        wanted = FunctionDay.objects.filter(origin=origin).aggregate(*map(Sum, SUMS))
        for model in (FleetDay, FleetUsage):
            assert model.objects.filter(origin=origin).aggregate(*map(Sum, SUMS)) == wanted
    assert FleetHour.objects.filter(origin="reports").aggregate(*map(Sum, SUMS)) == FleetDay.objects.filter(
        origin="reports"
    ).aggregate(*map(Sum, SUMS))
    assert FleetHour.objects.filter(origin="sample").exists()
    assert set(FleetUsage.objects.filter(origin="reports").values_list("architecture", flat=True)) == {
        "arm64",
        "x86_64",
    }


def test_the_migration_adds_up_the_fleet_of_the_past_as_new_reports_would(fleet: list[Function]) -> None:
    began = timezone.now()
    days, hours = _rows(FleetUsage), _rows(FleetHour, hour__gte=began - timedelta(days=9))
    FleetHour.objects.all().delete()
    FleetUsage.objects.all().delete()
    with connection.schema_editor() as editor:
        import_module("services_registry.migrations.0010_notes_and_payloads").fill(apps, editor)
    assert [row[:-1] for row in _rows(FleetUsage)] == [row[:-1] for row in days] != []
    assert _rows(FleetHour) == hours != []  # with their histograms


def _rows(model: Any, **wanted: Any) -> list[tuple[Any, ...]]:
    rows = model.objects.filter(**wanted).order_by(model._meta.ordering[0], "architecture")
    return [(*row[:-1], bytes(row[-1])) for row in rows.values_list("region", "architecture", *SUMS, "histogram")]
