"""Sums kept ready for the usual ranges: right, replaced as a whole, and what the list does with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from core.timerange import PRESETS, TimeRange
from services_registry.function_facts import facts_of, summed
from services_registry.models import Function, FunctionStanding
from services_registry.standings import ageing, refresh_standings
from tests.registry.test_function_list import names

SHARES = ("p50", "p95", "p99")
ClientAs = Callable[[User], Client]
Make = Callable[..., Function]
Report = Callable[..., None]


@pytest.fixture
def fleet(make_function: Make, report: Report) -> list[Function]:
    quick, slow, idle = make_function("quick", owner="a"), make_function("slow", owner="b"), make_function("idle")
    report(quick, count=30, billed_ms=100)
    report(quick, count=10, billed_ms=100, days_ago=10)
    report(slow, count=25, billed_ms=9_000)
    report(slow, count=5, billed_ms=30_000, status="timeout")
    return [quick, slow, idle]


def of(name: str) -> TimeRange:
    (label, length), now = PRESETS[name], timezone.now()
    return TimeRange(now - length, now, name, label)


def test_what_is_kept_is_what_is_summed_now(fleet: list[Function]) -> None:
    assert refresh_standings(PRESETS) == refresh_standings(PRESETS) > 0
    for name in PRESETS:
        kept, now = facts_of(fleet, of(name)), summed(fleet, of(name))
        assert kept.as_of < timezone.now()
        for one, other in zip(kept.rows, now, strict=True):
            assert (one.invocations or 0, one.errors or 0, one.timeouts or 0) == (
                other.invocations or 0, other.errors or 0, other.timeouts or 0
            )  # fmt: skip
            assert (one.cost, one.before_invocations, one.spark) == (other.cost, other.before_invocations, other.spark)
            assert [one.percentiles.get(share) for share in SHARES] == [other.percentiles[share] for share in SHARES]


def test_the_period_before_gives_the_change(fleet: list[Function], client_as: ClientAs, viewer: User) -> None:
    refresh_standings(["7d"])
    facts = facts_of(fleet, of("7d")).rows
    assert [entry.change for entry in facts] == [2.0, None, None]
    page = client_as(viewer).get("/functions/?range=7d").content.decode()
    assert "+200 %" in page and "10 in the period before" in page


def test_sums_that_are_too_old_are_made_anew(fleet: list[Function], report: Report) -> None:
    refresh_standings(["30d"])
    report(fleet[0], count=7)
    assert facts_of(fleet, of("30d")).rows[0].invocations == 40
    FunctionStanding.objects.update(as_of=timezone.now() - timedelta(hours=1))
    assert facts_of(fleet, of("30d")).rows[0].invocations == 47


@pytest.mark.parametrize("count", [3, 30])
def test_a_kept_range_costs_few_queries(
    make_function: Make, client_as: ClientAs, viewer: User, query_budget: Any, report: Report, count: int
) -> None:
    for number in range(count):
        report(make_function(f"f{number}"))
    refresh_standings(["30d"])
    client = client_as(viewer)
    client.get("/functions/")
    with query_budget(10):
        assert len(names(client.get("/functions/").content.decode())) == count


def test_every_column_can_be_shown_sorted_by_and_saved(
    fleet: list[Function], client_as: ClientAs, viewer: User
) -> None:
    refresh_standings(["30d"])
    client = client_as(viewer)
    assert names(client.get("/functions/?sort=-p99").content.decode()) == ["slow", "quick", "idle"]
    assert names(client.get("/functions/?sort=owner&columns=owner").content.decode()) == ["idle", "quick", "slow"]
    page = client.get("/functions/?columns=kind&columns=account&columns=size").content.decode()
    assert "is called directly" in page and 'class="sparkline"' not in page
    answer = client.post(
        "/functions/views/", {"name": "slow ones", "query": "sort=-p99&columns=p99&page=1"}, follow=True
    )
    text = answer.content.decode()
    assert "<title>slow ones" in text and names(text)[0] == "slow"


def test_the_file_has_what_the_list_shows(fleet: list[Function], client_as: ClientAs, viewer: User) -> None:
    answer = client_as(viewer).get("/functions/export.csv?sort=-timeouts&columns=timeouts&columns=owner")
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]  # a stream
    assert lines == ["name,timeouts,owner", "slow,5,b", "idle,,", "quick,0,a"]


def test_many_functions_get_an_owner_at_once_and_keep_the_rest(
    fleet: list[Function], client_as: ClientAs, operator: User, viewer: User
) -> None:
    client = client_as(operator)
    Function.objects.filter(name="slow").update(capability="tracking")
    selected = {"keys": [fleet[0].pk, fleet[1].pk], "query": "sort=name"}
    form = client.post("/functions/edit/", selected).content.decode()
    assert "Change 2 functions" in form and "quick, slow" in form
    wrong = client.post("/functions/edit/", selected | {"save": "1", "runbook": "not an address"})
    assert wrong.status_code == 400
    for changed in (2, 0):
        saved = client.post("/functions/edit/", selected | {"save": "1", "owner": "logistics"}, follow=True)
        assert f"{changed} functions changed" in saved.content.decode()
    assert list(Function.objects.order_by("name").values_list("name", "owner", "capability")) == [
        ("idle", "", ""), ("quick", "logistics", ""), ("slow", "logistics", "tracking"),
    ]  # fmt: skip
    assert AuditEntry.objects.filter(verb="function.kept").count() == 2
    everything = {"all_matching": "1", "query": "q=qui", "save": "1", "capability": "x"}
    client.post("/functions/edit/", everything)
    assert set(Function.objects.filter(capability="x").values_list("name", flat=True)) == {"quick"}
    assert client_as(viewer).post("/functions/edit/", selected).status_code == 403


def test_a_start_sums_again_only_what_is_missing_or_ageing(fleet: list[Function]) -> None:
    assert ageing(PRESETS) == list(PRESETS)
    refresh_standings(PRESETS)
    assert ageing(PRESETS) == ["1h"], "nothing was measured in it, so no row tells when it was summed"
    FunctionStanding.objects.filter(range="7d").update(as_of=timezone.now() - timedelta(minutes=20))
    FunctionStanding.objects.filter(range="13m").update(as_of=timezone.now() - timedelta(hours=30))
    FunctionStanding.objects.filter(range="30d").delete()
    assert ageing(PRESETS) == ["1h", "7d", "30d", "13m"]
