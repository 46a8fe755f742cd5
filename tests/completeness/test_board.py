"""The completeness board: what it shows, that its numbers lead to exactly their rows, getting and waiving what is chosen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from core.models import AuditEntry
from services_registry.batches import start_batch
from services_registry.models import Batch
from shipments.completeness.refresh import refresh
from shipments.completeness.upkeep import keep_up
from shipments.models import CompletenessSettings, DocumentWaiver, ExpectedDocument, Shipment
from tests.completeness.making import NOTE, POD, delivery, hours, rule, tried

pytestmark = pytest.mark.django_db


def late(number: str, days: float, code: str = "nord") -> Shipment:
    """Delivered so long ago that the proof is that many days late."""
    at = timezone.now() - hours(48 + 24 * days)
    return delivery(number, code=code, status="delivered", delivered=at, created=at - hours(24))


@pytest.fixture
def board() -> list[Shipment]:
    """Proofs: nord 5 and 2 days late, sud 10 days late and not due yet; notes: one of each carrier."""
    rule()
    shipments = [late("A1", 5), late("A2", 2), late("B1", 10, "sud"), late("B2", -1, "sud")]
    rule(NOTE, destinations="GB")
    Shipment.objects.filter(tracking_number__in=["A1", "B1"]).update(destination_country="GB")
    refresh([row.pk for row in shipments])
    return shipments


def test_the_counts_lead_to_exactly_their_rows_and_the_api_says_the_same(
    client_as: Any, api_client: Any, viewer: User, board: Any
) -> None:
    client, api = client_as(viewer), api_client(viewer)
    context = client.get("/documents/board/").context
    assert [line["row"].shipment.tracking_number for line in context["rows"]][-1] == "B2"
    matrix = context["matrix"]
    assert (context["count"].n, matrix["total"], matrix["late"]) == (6, 6, 5)
    seen = 0
    for line in [*matrix["lines"], {"cells": matrix["totals"], "url": matrix["all_url"], "total": 6}]:
        for cell in [*line["cells"], {"url": line["url"], "count": line["total"]}]:
            found = client.get(f"/documents/board/{cell['url']}").context["page"].rows
            assert len(found) == cell["count"], cell
            answer = api.get(f"/api/v1/expected-documents/{cell['url']}").json()["results"]
            assert [row["id"] for row in answer] == [row.pk for row in found]
            seen += 1
    assert seen == 18
    row = api.get("/api/v1/expected-documents/?q=a1&type=proof_of_delivery").json()["results"][0]
    assert (row["carrier"], row["state"], row["turn"], row["tries"], row["last_error"]) == (
        "nord",
        "overdue",
        "us",
        0,
        "",
    )
    assert client.get("/documents/board/?state=nonsense").status_code == 400
    assert client.get("/documents/board/?turn=person").context["page"].rows == []
    assert b"Nothing missing matches" in client.get("/documents/board/?turn=person").content


@pytest.mark.parametrize("count", [3, 40])
def test_the_board_needs_the_same_queries_for_3_and_40_rows(
    client_as: Any, viewer: User, query_budget: Any, count: int
) -> None:
    rule()
    rows = [late(f"N{number}", number, f"c{number % 9}") for number in range(count)]
    for row in rows[:2]:
        tried(row)
    refresh([row.pk for row in rows])
    client = client_as(viewer)
    with query_budget(24):
        assert client.get("/documents/board/").status_code == 200
    assert b"Not on the carrier" in client.get("/documents/board/").content


def test_one_kind_of_work_leads_to_its_plan_and_several_are_listed_each_with_its_plan(
    client_as: Any, operator: User, viewer: User, board: list[Shipment]
) -> None:
    proofs = list(ExpectedDocument.objects.filter(document_type=POD).values_list("pk", flat=True))
    client = client_as(operator)
    answer = client.post("/documents/board/work/", {"keys": proofs[:2]})
    assert (answer.status_code, answer.context["plan"].items) == (200, 2)
    selection = client.get("/documents/board/?late=true").context["selection"]
    listed = client.post("/documents/board/work/", {"all_matching": "1", "query": selection, "keys": proofs[:1]})
    kinds = {entry["kind"].document_type: entry for entry in listed.context["kinds"]}
    assert {name: entry["kind"].rows for name, entry in kinds.items()} == {POD: 3, NOTE: 2}
    entry = kinds[NOTE]
    form = {"capability": entry["kind"].capability, "query": entry["query"], "context": entry["context"]}
    planned = client.post("/batches/plan/", form)
    assert (planned.context["plan"].items, planned.context["form"].initial["capability"]) == (2, "render_pdf")
    assert client_as(viewer).post("/documents/board/work/", {"keys": proofs}).status_code == 403
    assert client.post("/documents/board/work/", {}).status_code == 409
    assert client.post("/documents/board/work/", {"all_matching": "1", "query": "nonsense"}).status_code == 400
    broken = json.dumps({"board": {"colour": "red"}})
    assert b"Unknown filter" in client.post("/documents/board/work/", {"all_matching": "1", "query": broken}).content


def test_what_is_being_got_already_is_left_out_even_before_the_upkeep_knows(
    operator: User, api_client: Any, board: list[Shipment]
) -> None:
    api = api_client(operator)
    kind = api.post("/api/v1/expected-documents/work/", {"query": {"type": POD}}, format="json").json()[0]
    assert (kind["capability"], kind["rows"]) == ("fetch_documents", 4)
    first = api.post(
        "/api/v1/batches/", {key: kind[key] for key in ("capability", "selection", "context")}, format="json"
    )
    assert (first.status_code, first.json()["total"]) == (201, 4)
    again = api.post("/api/v1/expected-documents/work/", {"query": {"type": POD}}, format="json").json()
    assert again == []
    assert api.post("/api/v1/batches/", {"capability": "fetch_documents", "selection": kind["selection"]}, format="json"
                    ).status_code == 409  # fmt: skip
    keep_up()
    assert set(ExpectedDocument.objects.filter(document_type=POD).values_list("state", flat=True)) == {"running"}


def test_after_the_batch_rows_are_complete_or_say_why_not(operator: User, board: list[Shipment]) -> None:
    from shipments.documents.store import store_document
    from shipments.sample_documents import sample_pdf

    batch = start_batch(capability="fetch_documents", selection={"keys": [row.pk for row in board[:2]]}, actor=operator,
                        source="page")  # fmt: skip
    keep_up()
    store_document(shipment=board[0], type=POD, content=sample_pdf(["x"]), name="a.pdf", source="fetched", batch=batch)
    now = timezone.now()
    batch.items.filter(key=board[0].pk).update(state="succeeded", settled=now)
    batch.items.filter(key=board[1].pk).update(state="failed", error_type="NotFound", settled=now)
    keep_up()
    states = dict(ExpectedDocument.objects.filter(document_type=POD).values_list("shipment", "state"))
    assert (states[board[0].pk], states[board[1].pk]) == ("complete", "overdue")
    row = ExpectedDocument.objects.get(shipment=board[1], document_type=POD)
    assert (row.turn, row.next_try) == ("carrier", now + hours(1))


def test_waiving_asks_why_is_audited_and_one_click_takes_it_back(
    client_as: Any, operator: User, board: list[Shipment]
) -> None:
    client = client_as(operator)
    selection = client.get("/documents/board/?type=proof_of_delivery").context["selection"]
    page = client.post("/documents/board/waive/", {"all_matching": "1", "query": selection, "back": "carrier=sud"})
    assert b"Waive 4 missing documents" in page.content
    form = {"chosen": selection, "back": "carrier=sud", "reason": ""}
    assert client.post("/documents/board/waive/", form).status_code == 400
    assert not DocumentWaiver.objects.exists()
    done = client.post("/documents/board/waive/", form | {"reason": "agreed with the customer"})
    assert done.url.startswith("/documents/board/?carrier=sud&undo=")
    assert ExpectedDocument.objects.filter(state="waived").count() == 4
    entry = AuditEntry.objects.get(verb="documents.waived")
    assert entry.after
    assert (entry.reason, entry.actor, entry.after["rows"]) == ("agreed with the customer", operator, 4)
    shown = client.get(done.url)
    assert shown.context["undo"]["count"] == 4
    waived = client.get("/documents/board/?state=waived")
    assert b"agreed with the customer" in waived.content
    action = shown.context["undo"]["action"]
    client.post(f"/documents/board/waivers/{action}/take-back/", {"back": "carrier=sud"})
    assert not ExpectedDocument.objects.filter(state="waived").exists()
    assert AuditEntry.objects.filter(verb="documents.waiver_taken_back").count() == 1


def test_waiving_over_the_api_needs_a_reason_and_rows_that_are_open(
    api_client: Any, operator: User, viewer: User, board: list[Shipment]
) -> None:
    row = ExpectedDocument.objects.filter(document_type=POD)[0]
    address, body = "/api/v1/expected-documents/waive/", {"ids": [row.pk], "reason": "no need"}
    assert api_client(viewer).post(address, body, format="json").status_code == 403
    api = api_client(operator)
    assert api.post(address, {"ids": [row.pk]}, format="json").status_code == 400
    assert api.post(address, {"reason": "x"}, format="json").status_code == 400
    done = api.post(address, body, format="json").json()
    assert done["waived"] == 1
    assert api.post(address, body, format="json").json()["error"]["code"] == "nothing"
    back = api.post("/api/v1/expected-documents/take-back/", {"action": done["action"]}, format="json").json()
    assert back == {"taken_back": 1}


def test_the_panel_of_a_delivery_judges_at_once_and_offers_what_can_be_done(
    client_as: Any, operator: User, viewer: User, board: list[Shipment]
) -> None:
    address = f"/deliveries/{board[0].pk}/completeness/"
    seen = client_as(operator).get(address)
    assert [(line["row"].document_type, line["capability"]) for line in seen.context["lines"]] == [
        (NOTE, "render_pdf"), (POD, "fetch_documents"),
    ]  # fmt: skip
    assert b"batches/plan" in seen.content
    assert b"batches/plan" not in client_as(viewer).get(address).content
    tried(board[0], state="pending")
    assert b'hx-trigger="every 3s"' in client_as(viewer).get(address).content
    assert (
        b"No rule expects"
        in client_as(viewer).get(f"/deliveries/{delivery('X', status='cancelled').pk}/completeness/").content
    )


def test_home_counts_what_is_overdue_by_carrier_and_links_to_exactly_these(
    client_as: Any, viewer: User, board: list[Shipment]
) -> None:
    client = client_as(viewer)
    lines = client.get("/documents/board/home/").context["lines"]
    assert [(line["label"], line["count"]) for line in lines] == [("Nord", 3), ("Sud", 2)]
    for line in lines:
        assert len(client.get(line["url"]).context["page"].rows) == line["count"]


def test_the_list_of_deliveries_shows_and_filters_completeness(
    client_as: Any, api_client: Any, viewer: User, board: list[Shipment]
) -> None:
    whole = delivery("W", status="cancelled")
    client = client_as(viewer)
    rows = {row.tracking_number: row for row in client.get("/deliveries/").context["page"].rows}
    page = client.get("/deliveries/").content.decode()
    assert page.count(">0/2</span>") == 2 and page.count(">0/1</span>") == 2 and len(rows) == 5

    def found(query: str) -> set[str]:
        shown = {row.tracking_number for row in client.get(f"/deliveries/?{query}").context["page"].rows}
        answer = api_client(viewer).get(f"/api/v1/shipments/?{query}").json()["results"]
        assert {row["tracking_number"] for row in answer} == shown
        return shown

    assert found("missing=delivery_note") == {"A1", "B1"}
    assert found("incomplete=true") == {"A1", "A2", "B1", "B2"}
    assert found("incomplete=false") == {whole.tracking_number}
    export = b"".join(client.get("/deliveries/export.csv?columns=documents").streaming_content).decode()
    assert "0 of 2" in export


def test_only_administrators_switch_automatic_tries(client_as: Any, operator: User, admin_user: User) -> None:
    address = "/documents/board/automatic/"
    assert client_as(operator).post(address, {"automatic": "on"}).status_code == 403
    client_as(admin_user).post(address, {"automatic": "on"})
    assert CompletenessSettings.current().automatic
    client_as(admin_user).post(address, {"automatic": "off"})
    assert not CompletenessSettings.current().automatic
    assert AuditEntry.objects.filter(verb="documents.automatic").count() == 2
    assert Batch.objects.count() == 0
