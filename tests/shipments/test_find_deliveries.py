"""The list of deliveries: search, filters, order, pages that survive new rows, an exact match."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User

from shipments.completeness.refresh import refresh
from shipments.documents.store import store_document
from shipments.models import Reason, Shipment
from shipments.reasons import forget_reasons
from tests.completeness.making import rule as expect
from tests.shipments.finding import carrier, deliveries, shown, walked

pytestmark = pytest.mark.django_db


def test_text_is_found_in_number_reference_and_customer_whatever_its_case(client_as: Any, viewer: User) -> None:
    deliveries(1, reference="PO-77", customer="Werkhof Lenz")
    deliveries(1, code="other")
    client = client_as(viewer)
    for text in ("cme000", "po-77", "WERKHOF", "f L"):
        assert shown(client, f"q={text}") == ["ACME00000"]


def test_short_text_is_refused_in_words_and_shows_nothing(client_as: Any, api_client: Any, viewer: User) -> None:
    deliveries(2)
    answer = client_as(viewer).get("/deliveries/?q=ac")
    assert (answer.status_code, answer.context["page"].rows) == (400, [])
    assert b"at least 3 characters" in answer.content
    refused = api_client(viewer).get("/api/v1/shipments/?q=ac")
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["q"])


def test_percent_and_underscore_are_searched_literally(client_as: Any, viewer: User) -> None:
    deliveries(1, customer="100% Olmo_X")
    deliveries(1, first=1, customer="100 Olmo-X")
    client = client_as(viewer)
    assert shown(client, "q=00%25 O") == shown(client, "q=mo_X") == ["ACME00000"]


@pytest.mark.slow
def test_text_that_very_many_have_is_found_in_the_order_of_the_list(client_as: Any, viewer: User) -> None:
    deliveries(1_100, customer="Papeterie Violette")
    deliveries(1, first=2_000)
    assert shown(client_as(viewer), "q=violette&sort=created")[:2] == ["ACME00000", "ACME00001"]
    assert len(walked(client_as(viewer), "q=violette")) == 1_100


def test_exact_number_is_offered_first_and_opens_its_delivery(client_as: Any, viewer: User) -> None:
    one = deliveries(3)[1]
    content = client_as(viewer).get("/deliveries/?q=acme00001").content.decode()
    assert "Exact match" in content
    assert f'href="/deliveries/{one.pk}/"' in content
    assert "Exact match" not in client_as(viewer).get("/deliveries/?q=acme0000").content.decode()


def test_filters_narrow_together_on_the_page_and_in_the_api(client_as: Any, api_client: Any, viewer: User) -> None:
    wanted = deliveries(1, status="on_hold", destination_country="LU", unmapped=True)
    deliveries(1, first=1, status="on_hold")
    deliveries(1, first=2, status="delivered", destination_country="LU", unmapped=True)
    deliveries(1, code="other", status="on_hold", destination_country="LU", unmapped=True)
    query = "status=on_hold&status=unknown&country=lu&carrier=acme&unmapped=true&created_after=2026-11-01"
    assert shown(client_as(viewer), query) == ["ACME00000"]
    found = api_client(viewer).get(f"/api/v1/shipments/?{query}").json()["results"]
    assert [row["id"] for row in found] == [wanted[0].pk]


def test_days_are_whole_days_of_the_person(client_as: Any, viewer: User) -> None:
    deliveries(3)
    client = client_as(viewer)
    assert len(shown(client, "created_after=2026-11-01&created_before=2026-11-01")) == 3
    assert not shown(client, "created_after=2026-11-02")
    assert len(shown(client, "created_before=9999-12-31")) == 3


def test_missing_document_means_expected_and_none_that_is_stored(client_as: Any, viewer: User) -> None:
    first, second = deliveries(2)
    deliveries(1, code="exempt")
    expect("label", carrier=first.carrier)
    refresh([first.pk, second.pk])
    store_document(shipment=first, type="label", content=b"no pdf", name="a.pdf", source="uploaded")  # quarantined
    store_document(shipment=second, type="other", content=b"text", name="a.txt", source="uploaded")
    assert shown(client_as(viewer), "missing=label") == ["ACME00001", "ACME00000"]
    first.documents.update(state="stored")
    refresh([first.pk])
    assert shown(client_as(viewer), "missing=label") == ["ACME00001"]


def test_orders_are_the_same_on_page_and_api_and_numbers_need_a_carrier(
    client_as: Any, api_client: Any, viewer: User
) -> None:
    deliveries(3)
    Shipment.objects.filter(tracking_number="ACME00001").update(updated="2026-11-09T00:00Z")
    client, api = client_as(viewer), api_client(viewer)
    for query, first in (("", 2), ("sort=created", 0), ("sort=-updated", 1), ("sort=-tracking_number&carrier=acme", 2)):
        assert shown(client, query)[0] == f"ACME0000{first}"
        answer = api.get(f"/api/v1/shipments/?{query}").json()
        assert answer["results"][0]["tracking_number"] == f"ACME0000{first}"
    for query in ("sort=customer", "sort=tracking_number"):
        assert client.get(f"/deliveries/?{query}").status_code == 400
        assert api.get(f"/api/v1/shipments/?{query}").json()["error"]["fields"]["sort"]


@pytest.mark.parametrize("query", ["", "sort=created", "sort=-updated", "sort=tracking_number&carrier=acme"])
def test_every_row_is_shown_once_also_when_rows_come_in_between(client_as: Any, viewer: User, query: str) -> None:
    deliveries(120)
    client = client_as(viewer)
    first = client.get(f"/deliveries/?{query}").context["page"]
    deliveries(60, first=500)
    second = client.get(first.next_link).context["page"]
    numbers = [row.tracking_number for row in (*first.rows, *second.rows)]
    assert len(set(numbers)) == 100
    back = client.get(second.previous_link).context["page"]
    assert back.rows == first.rows
    assert len(walked(client, query)) == len(set(walked(client, query))) == 180


def test_count_is_exact_where_it_is_cheap(client_as: Any, viewer: User) -> None:
    deliveries(60)
    count = client_as(viewer).get("/deliveries/").context["count"]
    assert (count.n, count.more, count.known) == (60, False, True)


def test_hostile_texts_stay_text_in_the_table(client_as: Any, viewer: User) -> None:
    evil = "<script>\"&'</script>"
    deliveries(
        1, tracking_number=evil, customer=evil, reference=evil, destination_country="<b", recipient={"city": evil}
    )
    carrier().__class__.objects.update(name=evil)
    content = client_as(viewer).get("/deliveries/?columns=carrier&columns=customer&columns=to").content.decode()
    assert "<script>&quot;" not in content
    assert '<script>"' not in content
    assert "&lt;script&gt;" in content


def test_chosen_columns_are_shown_in_their_order_and_remembered_for_the_person_only(
    client_as: Any, viewer: User, operator: User
) -> None:
    deliveries(1, reason="customs")
    client = client_as(viewer)
    form = {"columns": ["reason", "updated", "nonsense"], "query": "status=pending&cursor=x"}
    answer = client.post("/deliveries/columns/", form)
    assert answer["Location"] == "/deliveries/?status=pending&columns=tracking_number&columns=reason&columns=updated"
    for address in (answer["Location"], "/deliveries/"):
        heads = [head["label"] for head in client.get(address).context["heads"]]
        assert heads == ["Tracking number", "Reason", "Changed here"]
    assert len(client_as(operator).get("/deliveries/").context["heads"]) == 8
    client.post("/deliveries/columns/", {"usual": "1"})
    assert len(client.get("/deliveries/").context["heads"]) == 8


def test_a_delivery_that_no_mapping_knows_says_so_in_the_list(client_as: Any, viewer: User) -> None:
    deliveries(1, unmapped=True)
    assert b"not mapped" in client_as(viewer).get("/deliveries/").content


def test_api_answers_with_the_asked_fields_only(api_client: Any, viewer: User, query_budget: Any) -> None:
    deliveries(3)
    api = api_client(viewer)
    rows = api.get("/api/v1/shipments/?fields=tracking_number,status&page_size=2").json()["results"]
    assert rows == [{"tracking_number": f"ACME0000{n}", "status": "pending"} for n in (2, 1)]
    refused = api.get("/api/v1/shipments/?fields=tracking_number,password")
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["fields"])
    assert "carrier" in api.get(f"/api/v1/shipments/{Shipment.objects.get(tracking_number='ACME00001').pk}/").json()


def test_a_reason_is_shown_by_its_name(client_as: Any, viewer: User) -> None:
    Reason.objects.create(code="damp", label="Goods are damp", family="weather", valid_from=date(2020, 1, 1))
    forget_reasons()
    deliveries(1, reason="damp")
    deliveries(1, first=1, reason="nobody_knows")
    content = client_as(viewer).get("/deliveries/?columns=reason").content.decode()
    forget_reasons()
    assert ">Goods are damp</" in content and ">damp</" not in content
    assert ">nobody_knows</" in content, "a code without a name stays what it is"
