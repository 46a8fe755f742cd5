"""Next and previous on the page of a delivery walk the list the person came from; "all that match" is frozen."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User

from services_registry import capabilities
from services_registry.capabilities import SelectionError
from tests.shipments.finding import deliveries, walked

pytestmark = pytest.mark.django_db


def test_rows_lead_to_pages_that_know_their_neighbours_in_that_list(client_as: Any, viewer: User) -> None:
    rows = deliveries(5, status="on_hold")
    deliveries(5, first=5)
    client, query = client_as(viewer), "status=on_hold&sort=created"
    address = f"/deliveries/{rows[2].pk}/?from={quote(query)}"
    assert address in client.get(f"/deliveries/?{query}").content.decode()
    context = client.get(address).context
    assert context["before_url"] == f"/deliveries/{rows[1].pk}/?from={quote(query)}"
    assert context["after_url"] == f"/deliveries/{rows[3].pk}/?from={quote(query)}"
    seen, following = [], f"/deliveries/{rows[0].pk}/?from={quote(query)}"
    while following:
        seen.append(int(following.split("/")[2]))
        following = client.get(following).context["after_url"]
    assert seen == [row.pk for row in rows]


def test_ends_of_the_list_and_pages_opened_otherwise_offer_no_way(client_as: Any, viewer: User) -> None:
    rows = deliveries(2)
    client = client_as(viewer)
    newest = client.get(f"/deliveries/{rows[1].pk}/?from=").context
    assert (newest["before_url"], newest["after_url"]) == ("", f"/deliveries/{rows[0].pk}/?from=")
    assert "data-walk" not in client.get(f"/deliveries/{rows[1].pk}/").content.decode()
    nonsense = client.get(f"/deliveries/{rows[1].pk}/?from={quote('status=nonsense')}")
    assert (nonsense.status_code, nonsense.context["after_url"]) == (200, "")


def test_a_delivery_that_left_the_list_still_leads_on(client_as: Any, viewer: User) -> None:
    rows = deliveries(3, status="on_hold")
    rows[1].__class__.objects.filter(pk=rows[1].pk).update(status="delivered")
    context = client_as(viewer).get(f"/deliveries/{rows[1].pk}/?from=status%3Don_hold").context
    assert str(rows[2].pk) in context["before_url"]
    assert str(rows[0].pk) in context["after_url"]


def test_all_that_match_is_what_there_was_when_it_was_chosen(client_as: Any, operator: User) -> None:
    chosen = deliveries(3, status="on_hold")
    deliveries(2, first=3)
    selection = client_as(operator).get("/deliveries/?status=on_hold&sort=created").context["selection"]
    deliveries(4, first=5, status="on_hold")
    kind = capabilities.get("render_pdf")
    items = list(kind.resolve({"query": json.loads(selection)}))
    assert {item.key for item in items} == {str(row.pk) for row in chosen}
    beside = {"query": {"status": "on_hold"}, "up_to": chosen[1].pk}
    assert {item.key for item in kind.resolve(beside)} == {str(row.pk) for row in chosen[:2]}


def test_a_frozen_selection_is_planned_from_the_page(client_as: Any, operator: User) -> None:
    deliveries(3)
    client = client_as(operator)
    form = {"capability": "render_pdf", "all_matching": "1", "keys": "1"}
    form["query"] = client.get("/deliveries/").context["selection"]
    deliveries(2, first=3)
    answer = client.post("/batches/plan/", form)
    assert b"up_to" in answer.content


@pytest.mark.parametrize("wrong", ["x", -1, "9" * 30, [], {}])
def test_an_unusable_end_of_a_selection_is_refused(wrong: Any) -> None:
    with pytest.raises(SelectionError):
        list(capabilities.get("render_pdf").resolve({"query": {"status": "on_hold"}, "up_to": wrong}))


def test_parts_of_an_address_that_only_say_how_it_is_shown_do_not_narrow_a_selection() -> None:
    deliveries(2)
    query = "sort=-updated&columns=status&view=x&cursor=y"
    assert len(list(capabilities.get("render_pdf").resolve({"query": query}))) == 2


def test_two_statuses_are_one_list_in_order_both_ways(client_as: Any, api_client: Any, viewer: User) -> None:
    for place in range(6):
        deliveries(30, first=place * 30, status=("on_hold", "pending", "exception")[place % 3])
    query = "status=on_hold&status=pending"
    client = client_as(viewer)
    expected = [f"ACME{n:05d}" for n in range(179, -1, -1) if n // 30 % 3 != 2]
    assert walked(client, query) == expected
    assert walked(client, f"{query}&sort=created") == expected[::-1]
    last = client.get(client.get(f"/deliveries/?{query}").context["page"].next_link)
    assert [row.tracking_number for row in last.context["page"].rows] == expected[50:100]
    back = client.get(last.context["page"].previous_link)
    assert [row.tracking_number for row in back.context["page"].rows] == expected[:50]
    tool, found, address = api_client(viewer), [], f"/api/v1/shipments/?{query}&page_size=40"
    while address:
        answer = tool.get(address).json()
        found += [row["tracking_number"] for row in answer["results"]]
        address = answer["next"]
    assert found == expected
