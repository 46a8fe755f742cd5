"""When no index leads to the rows, the list is searched a stretch at a time, says so, and loses nobody."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from core import bounded
from core.bounded import TookTooLongError, time_limit
from shipments.listing import search
from tests.shipments.finding import deliveries, shown, walked

pytestmark = pytest.mark.django_db


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No patience at all, and short stretches: what millions of rows do to some filters, with few rows."""

    def give_up(*args: Any, **kwargs: Any) -> Any:
        raise TookTooLongError

    monkeypatch.setattr(bounded, "keyset_page", give_up)
    monkeypatch.setattr(bounded, "capped_count", give_up)
    monkeypatch.setattr(bounded, "STRETCH_ROWS", 40)
    monkeypatch.setattr(bounded, "SEARCH_S", 0)


def test_a_search_that_stops_says_how_far_it_came_and_goes_on_from_there(
    hurried: None, client_as: Any, viewer: User
) -> None:
    deliveries(1, customer="Quercia")
    deliveries(130, first=1)
    client = client_as(viewer)
    answer = client.get("/deliveries/?q=quercia")
    assert (answer.context["page"].rows, answer.context["count"].known) == ([], False)
    assert "Searched as far as" in answer.content.decode()
    assert "Search on from there" in answer.content.decode()
    assert "not counted" in answer.content.decode()
    assert walked(client, "q=quercia") == ["ACME00000"]


@pytest.mark.parametrize("query", ["", "sort=created", "sort=-updated", "status=on_hold", "carrier=acme&country=ES"])
def test_walking_stretch_by_stretch_shows_every_row_once(
    hurried: None, client_as: Any, viewer: User, query: str
) -> None:
    for place in range(6):
        deliveries(40, first=place * 40, status=("on_hold", "pending")[place % 2])
    expected = 120 if "status" in query else 240
    found = walked(client_as(viewer), query)
    assert len(found) == len(set(found)) == expected


@pytest.mark.parametrize("query", ["", "status=on_hold", "carrier=acme&country=ES", "sort=-updated"])
def test_tools_walk_stretch_by_stretch_too(hurried: None, api_client: Any, viewer: User, query: str) -> None:
    for place in range(6):
        deliveries(40, first=place * 40, status=("on_hold", "pending")[place % 2])
    client, address, found = api_client(viewer), f"/api/v1/shipments/?{query}", []
    while address:
        answer = client.get(address).json()
        found += [row["tracking_number"] for row in answer["results"]]
        address = answer["next"]
    assert len(found) == len(set(found)) == (120 if "status" in query else 240)


def test_walking_back_stretch_by_stretch_comes_to_the_same_rows(hurried: None, client_as: Any, viewer: User) -> None:
    deliveries(140)
    client, address = client_as(viewer), "/deliveries/"
    while following := client.get(address).context["page"].next_link:
        address = following
    back = [row.tracking_number for row in client.get(address).context["page"].rows]
    while previous := client.get(address).context["page"].previous_link:
        address = previous
        back = [row.tracking_number for row in client.get(address).context["page"].rows] + back
    assert back == [f"ACME{n:05d}" for n in range(139, -1, -1)]


def test_a_full_page_within_the_first_stretch_is_a_page_like_any_other(
    hurried: None, client_as: Any, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "STRETCH_ROWS", 1_000)
    deliveries(60)
    answer = client_as(viewer).get("/deliveries/")
    assert len(answer.context["page"].rows) == 50
    assert "Searched as far as" not in answer.content.decode()


def test_a_statement_beyond_its_limit_is_stopped_and_the_next_one_runs() -> None:
    with pytest.raises(TookTooLongError), time_limit(20), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.05)")
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] != "20ms"


def test_the_limit_ends_with_its_block() -> None:
    with time_limit(20):
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.05)")


def test_text_whose_search_takes_too_long_is_still_found(
    client_as: Any, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW", 0)
    deliveries(2)
    assert shown(client_as(viewer), "q=acme00001") == ["ACME00001"]


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_each_statement_takes_its_limit_along() -> None:
    with time_limit(300), connection.cursor() as cursor:
        cursor.execute("SELECT %s, pg_sleep(0.2)", ["of one result"])
        assert cursor.fetchone()[0] == "of one result"
        cursor.execute("SELECT pg_sleep(0.2)")  # the limit is for each by itself
    with pytest.raises(TookTooLongError), time_limit(20), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] == "1min", "nothing stays on the connection"


def test_more_than_can_be_counted_is_remembered_and_an_exact_count_is_not(
    client_as: Any, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[bool] = []
    answers = [bounded.Count(60)] * 2 + [bounded.Count(10_000, more=True)] * 2

    def count(found: Any) -> bounded.Count:
        counted.append(True)
        return answers[len(counted) - 1]

    monkeypatch.setattr(bounded, "bounded_count", count)
    deliveries(60)
    client = client_as(viewer)
    for query in (
        "status=pending", "status=pending", "status=pending", "status=pending&sort=created", "status=pending&columns=to",
    ):  # fmt: skip
        client.get(f"/deliveries/?{query}")
    assert len(counted) == 3, "exact twice; too many once, whatever the order and the columns"
    client.get("/deliveries/?status=pending&carrier=acme")
    assert len(counted) == 4, "another filter is another list"
