"""Finding a batch again: the search box of the list, the same on the page and in the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from services_registry.models import Batch, BatchItem, BatchSchedule
from shipments.models import Carrier, CarrierMessage, Shipment

ClientAs = Callable[[User], Client]
Budget = Callable[[int], AbstractContextManager[None]]
Find = Callable[[str], set[str]]


def made(title: str, **values: Any) -> Batch:
    defaults: dict[str, Any] = {"function_name": "f", "total": 10, "state": "done", "finished": timezone.now()}
    return Batch.objects.create(title=title, **{**defaults, **values})


@pytest.fixture
def find(api_client: Callable[[User], APIClient], client_as: ClientAs, viewer: User) -> Iterator[Find]:
    """Titles that the API answers, once the page has shown exactly the same."""
    api, page = api_client(viewer), client_as(viewer)

    def titles(text: str) -> set[str]:
        answer = api.get("/api/v1/batches/", {"q": text})
        assert answer.status_code == 200, answer.json()
        found = {batch["title"] for batch in answer.json()["results"]}
        shown = page.get("/batches/", {"q": text})
        assert {batch.title for batch in shown.context["rows"]} == found
        return found

    yield titles


@pytest.mark.slow
def test_words_look_into_the_title(find: Find) -> None:
    made("Render delivery notes: 40 deliveries")
    made("Notes on 100% delivery")
    assert find("notes") == {"Render delivery notes: 40 deliveries", "Notes on 100% delivery"}
    assert find("NOTES render") == {"Render delivery notes: 40 deliveries"}
    assert find('"notes on"') == {"Notes on 100% delivery"}
    assert find("0%") == {"Notes on 100% delivery"}
    assert find("notes: 40") == {"Render delivery notes: 40 deliveries"}


def test_states_are_found_by_name_and_failed_means_failed_items(find: Find) -> None:
    made("clean")
    made("partly", failed=2)
    made("going", state="running", finished=None)
    made("held", state="halted", finished=None, failed=5)
    assert find("state:failed") == {"partly", "held"}
    assert find("state:finished") == find("STATE:DONE") == {"clean", "partly"}
    assert find("state:open") == {"going", "held"}
    assert find("state:running state:halted") == {"going", "held"}
    assert find("state:failed state:open after:1d") == {"partly", "held", "going"}


def test_functions_work_people_and_sources(find: Find, viewer: User) -> None:
    made("one", function_name="shipments-render-pdf", capability="render_pdf", created_by_name="Ana Lopez")
    made("two", function_name="shipments-fetch", source="api", created_by_name=viewer.username)
    made("three", function_name="billing-nightly", source="schedule")
    assert find("function:shipments-*") == {"one", "two"}
    assert find("function:*-nightly") == find("function:billing-nightly") == {"three"}
    assert find("function:billing") == set()
    assert find("work:render_pdf") == {"one"}
    assert find("work:run") == {"two", "three"}
    assert find('by:"ana lopez"') == find("by:ANA*") == {"one"}
    assert find("by:me") == {"two"}
    assert find("source:schedule") == {"three"}
    assert find("source:api function:shipments-*") == {"two"}


def test_days_are_whole_days_and_ages_count_back(find: Find, client_as: ClientAs, viewer: User) -> None:
    now = timezone.now()
    for days in (0, 3, 10):
        made(f"{days} days old", created=now - timedelta(days=days, minutes=1))
    assert find("after:7d") == {"0 days old", "3 days old"}
    assert find("before:7d") == {"10 days old"}
    assert find("after:2w before:2d") == {"3 days old", "10 days old"}
    assert find("after:48h") == {"0 days old"}
    made("at noon", created=datetime(2026, 3, 5, 12, tzinfo=ZoneInfo("UTC")))
    assert find("on:2026-03-05") == {"at noon"}
    assert find("after:2026-03-05 before:2026-03-06") == {"at noon"}
    assert find("before:2026-03-05") == set()


def test_a_day_on_the_page_is_a_day_of_the_reader(client_as: ClientAs, viewer: User, settings: Any) -> None:
    settings.DISPLAY_TIME_ZONE = "Europe/Madrid"
    made("after midnight in Madrid", created=datetime(2026, 3, 4, 23, 30, tzinfo=ZoneInfo("UTC")))
    page = client_as(viewer)
    assert len(page.get("/batches/?q=on:2026-03-05").context["rows"]) == 1
    assert len(page.get("/batches/?q=on:2026-03-04").context["rows"]) == 0


def test_an_id_is_found_by_how_it_begins(find: Find) -> None:
    batch = made("this one")
    made("another")
    assert find(f"id:{batch.pk}") == find(f"id:{str(batch.pk)[:8].upper()}") == {"this one"}


def test_a_delivery_is_found_in_all_work_on_it(find: Find) -> None:
    carrier = Carrier.objects.create(code="acme", name="Acme")
    shipment = Shipment.objects.create(carrier=carrier, tracking_number="1Z999AA1", reference="ORDER 77")
    message = CarrierMessage.objects.create(carrier=carrier, shipment=shipment, text="delivered")
    key = str(shipment.pk)
    for title, capability, item in (
        ("rendered", "render_pdf", key),
        ("fetched", "fetch_documents", key),
        ("classified", "classify_messages", str(message.pk)),
        ("run with the same key", "", key),
        ("another delivery", "render_pdf", str(shipment.pk + 1000)),
    ):
        BatchItem.objects.create(batch=made(title, capability=capability), position=0, key=item)
    assert find("shipment:1z999aa1") == find('shipment:"ORDER 77"') == {"rendered", "fetched", "classified"}
    assert find("shipment:1Z999AA1 work:render_pdf") == {"rendered"}
    assert find("shipment:1Z999") == set()


def test_a_delivery_that_nobody_knows_is_named(client_as: ClientAs, viewer: User) -> None:
    made("x")
    page = client_as(viewer).get("/batches/?q=shipment:NOBODY")
    assert page.status_code == 200 and not page.context["rows"]
    assert "No delivery has exactly the number or reference “NOBODY”" in page.content.decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour:red", "There is no search term “colour:”"),
        ("colour:red", "shipment:"),
        ("state:happy", "Possible: running, paused, halted"),
        ("on:yesteryear", "“yesteryear” is not a date"),
        ("after:2026-02-30", "is not a date"),
        ("state:", "needs a value"),
        ('by:""', "needs a value"),
        ('"open', "quotation mark"),
        ("id:xyz", "at least 4"),
        ("work:unknown", "render_pdf"),
        ("source:fax", "schedule"),
        ("a " * 21, "At most 20 terms"),
        ("x" * 501, "at most 500"),
    ],
)
def test_what_is_not_understood_is_said_and_shows_nothing(
    text: str, said: str, client_as: ClientAs, api_client: Callable[[User], APIClient], viewer: User
) -> None:
    made("everything")
    page = client_as(viewer).get("/batches/", {"q": text})
    assert page.status_code == 400
    assert any(said in problem for problem in page.context["problems"]), page.context["problems"]
    assert "everything" not in page.content.decode() and "Clear the search" in page.content.decode()
    answer = api_client(viewer).get("/api/v1/batches/", {"q": text})
    assert answer.status_code == 400
    assert any(said in problem for problem in answer.json()["error"]["fields"]["q"])
    assert client_as(viewer).get("/batches/list.csv", {"q": text}).status_code == 400


def test_each_active_term_can_be_removed(client_as: ClientAs, viewer: User) -> None:
    made("notes", state="running", finished=None, created_by_name="Ana Lopez")
    page = client_as(viewer).get("/batches/", {"q": 'notes by:"ana lopez"', "state": "running", "cursor": "zzz"})
    chips = {chip["label"]: chip["url"] for chip in page.context["chips"]}
    assert chips == {
        "notes": "?q=by%3A%22ana+lopez%22&state=running",
        'by:"ana lopez"': "?q=notes&state=running",
        "State: running": "?q=notes+by%3A%22ana+lopez%22",
    }
    for address in chips.values():
        assert len(client_as(viewer).get(f"/batches/{address}").context["rows"]) == 1


def test_the_earlier_filters_still_work(client_as: ClientAs, viewer: User) -> None:
    made("one", capability="render_pdf", created_by_name="Ana")
    made("two", state="cancelled")
    client = client_as(viewer)
    for query, title in (("capability=render_pdf", "one"), ("state=cancelled", "two"), ("by=ana", "one")):
        assert [row.title for row in client.get(f"/batches/?{query}").context["rows"]] == [title]


def test_what_runs_is_on_top_and_polled_until_nothing_does(client_as: ClientAs, viewer: User) -> None:
    batch = made("long work", state="running", finished=None, succeeded=5)
    client = client_as(viewer)
    text = client.get("/batches/").content.decode()
    assert 'hx-get="/batches/running/"' in text and "left" in text and "50 %" in text
    assert "batch-running" not in client.get("/batches/?q=long").content.decode()
    assert "long work" in client.get("/batches/running/").content.decode()
    Batch.objects.filter(pk=batch.pk).update(state="done", finished=timezone.now())
    ended = client.get("/batches/running/").content.decode()
    assert "hx-get" not in ended and "Nothing is under way any more" in ended


def test_batches_of_a_schedule_say_so(client_as: ClientAs, viewer: User) -> None:
    schedule = BatchSchedule.objects.create(name="nightly", capability="fetch_documents")
    made("scheduled", schedule=schedule, source="schedule")
    assert f"/batches/schedules/{schedule.pk}/" in client_as(viewer).get("/batches/").content.decode()


def test_the_search_of_the_whole_platform_finds_batches(client_as: ClientAs, viewer: User) -> None:
    batch = made("Render notes for Kestrel")
    client = client_as(viewer)
    assert f"/batches/{batch.pk}/" in client.get("/search/?q=kestrel").content.decode()
    assert f"/batches/{batch.pk}/" in client.get(f"/search/?q={str(batch.pk)[:8]}").content.decode()


@pytest.mark.parametrize("query", ["", "?q=notes+state:running+after:7d+function:f*", "?q=shipment:1Z5"])
def test_three_and_thirty_batches_cost_the_same(
    query: str, client_as: ClientAs, viewer: User, query_budget: Budget
) -> None:
    carrier = Carrier.objects.create(code="acme", name="Acme")
    shipment = Shipment.objects.create(carrier=carrier, tracking_number="1Z5")
    client = client_as(viewer)
    client.get("/batches/")  # the session's first request writes
    for count in (3, 30):
        Batch.objects.all().delete()
        batches = Batch.objects.bulk_create(
            Batch(title=f"notes {n}", function_name="f", total=1, capability="render_pdf") for n in range(count)
        )
        BatchItem.objects.bulk_create(BatchItem(batch=b, position=0, key=str(shipment.pk)) for b in batches)
        with query_budget(8):
            page = client.get(f"/batches/{query}")
        assert len(page.context["rows"]) == count
