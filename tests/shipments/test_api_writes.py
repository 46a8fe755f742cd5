"""One delivery over REST: made, changed, told of events, given documents; refused with codes that programs can use."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from pypdf import PdfWriter

from core.models import AuditEntry
from shipments.models import Carrier, CarrierMessage, CodeMapping, Document, Shipment, TrackingEvent
from shipments.status.seed import seed_status_data

pytestmark = pytest.mark.django_db
NEW = {
    "carrier": "acme", "tracking_number": "A1", "reference": "SO-1", "customer": "Olmo",
    "recipient": {"name": "Ana", "city": "Madrid", "country": "es"}, "parcels": [{"weight_kg": 2.5}],
}  # fmt: skip


@pytest.fixture
def api(api_client: Any, operator: User) -> Any:
    return api_client(operator)


def make(api: Any, **more: Any) -> dict[str, Any]:
    answer = api.post("/api/v1/shipments/", NEW | more, format="json")
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def codes(answer: Any) -> set[tuple[str, str]]:
    return {(one["field"], one["code"]) for one in answer.json()["error"]["details"]}


def test_a_delivery_is_made_once_and_comes_back_whole(api: Any, operator: User) -> None:
    made = make(api)
    assert (made["carrier"], made["status"], made["destination_country"]) == ("acme", "pending", "ES")
    assert made["links"]["events"].endswith(f"/api/v1/shipments/{made['id']}/events/")
    assert "documents" not in made
    again = api.post("/api/v1/shipments/", NEW, format="json")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "exists")
    entry = AuditEntry.objects.get(verb="shipment.added")
    assert (entry.actor, entry.source, entry.target) == (operator, "api", f"shipments.shipment:{made['id']}")


def test_all_that_is_wrong_is_said_at_once_with_field_and_code(api: Any) -> None:
    wrong = {
        "tracking_number": "1E+15",
        "status": "lost",
        "recipient": {"country": "Nowhere", "fax": "1"},
        "colour": 1,
    }
    answer = api.post("/api/v1/shipments/", wrong, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
    assert codes(answer) >= {
        ("carrier", "missing"), ("tracking_number", "rounded"), ("status", "unknown_status"),
        ("recipient_country", "bad_country"), ("colour", "unknown_field"), ("recipient.fax", "unknown_field"),
    }  # fmt: skip
    assert api.post("/api/v1/shipments/", [NEW], format="json").status_code == 400
    assert not Shipment.objects.exists() and not Carrier.objects.exists()


def test_an_idempotency_key_makes_a_repeated_request_one(api: Any, api_client: Any, operator: User) -> None:
    headers = {"Idempotency-Key": "order-1042"}
    first = api.post("/api/v1/shipments/", NEW, format="json", headers=headers)
    again = api.post("/api/v1/shipments/", dict(reversed(NEW.items())), format="json", headers=headers)
    assert (again.status_code, again.json(), again["Idempotency-Replayed"]) == (201, first.json(), "true")
    other = api.post("/api/v1/shipments/", NEW | {"customer": "Pino"}, format="json", headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_key_reused")
    body = {"carrier": "acme", "text": "Entregado"}
    keyed = [
        api.post("/api/v1/messages/", body, format="json", headers={"Idempotency-Key": key}).json()["id"]
        for key in ("a", "a", "b")
    ]
    assert keyed[0] == keyed[1] != keyed[2]
    refused = {"Idempotency-Key": "mended-later"}
    assert api.post("/api/v1/messages/", {"carrier": "acme"}, format="json", headers=refused).status_code == 400
    assert api.post("/api/v1/messages/", body, format="json", headers=refused).status_code == 201
    assert api.post("/api/v1/messages/", body, format="json", headers={"Idempotency-Key": "x" * 121}).status_code == 400


def test_a_change_touches_what_it_states_and_nothing_else(api: Any) -> None:
    made = make(api, notes="fragile")
    address = f"/api/v1/shipments/{made['id']}/"
    change = {"recipient": {"city": "Lyon", "country": "FR", "name": None}, "notes": None, "promised": "2026-12-01"}
    changed = api.patch(address, change, format="json").json()
    assert (changed["recipient"], changed["destination_country"]) == ({"city": "Lyon", "country": "FR"}, "FR")
    assert (changed["notes"], changed["promised"], changed["customer"]) == ("", "2026-12-01T00:00:00Z", "Olmo")
    assert changed["updated"] > made["updated"]
    entry = AuditEntry.objects.get(verb="shipment.changed")
    assert (entry.before, entry.after) == ({"promised": None}, {"promised": "2026-12-01T00:00:00+00:00"})
    assert "notes" in entry.summary and "Lyon" not in entry.summary  # addresses stay out of the trail
    same = api.patch(address, change, format="json").json()
    assert same["updated"] == changed["updated"]
    assert AuditEntry.objects.filter(verb="shipment.changed").count() == 1
    wrong = {"carrier": "other", "id": 5, "promised": "soon", "sender": {"fax": "1"}, "reason": "x"}
    assert codes(api.patch(address, wrong, format="json")) >= {
        ("carrier", "not_changeable"), ("id", "unknown_field"), ("reason", "without_status"),
    }  # fmt: skip
    assert codes(api.patch(address, {"promised": "soon"}, format="json")) == {("promised", "bad_date")}
    assert codes(api.patch(address, {"sender": {"fax": "1"}}, format="json")) == {("sender.fax", "unknown_field")}


def test_a_status_set_by_hand_is_an_event_and_refused_when_it_does_not_follow(api: Any) -> None:
    seed_status_data()
    address = f"/api/v1/shipments/{make(api)['id']}/"
    held = api.patch(address, {"status": "on_hold", "reason": "customs_delay"}, format="json").json()
    assert (held["status"], held["reason"]) == ("on_hold", "customs_delay")
    event = TrackingEvent.objects.get()
    assert (event.source, event.status, event.reason) == ("api", "on_hold", "customs_delay")
    api.patch(address, {"status": "on_hold"}, format="json")
    assert TrackingEvent.objects.count() == 1
    assert api.patch(address, {"status": "delivered"}, format="json").json()["status"] == "delivered"
    refused = api.patch(address, {"status": "pending", "notes": "not kept"}, format="json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "status_not_possible")
    assert TrackingEvent.objects.count() == 2 and not Shipment.objects.get().notes
    for wrong, code in (
        ({"status": "lost"}, ("status", "unknown_status")),
        ({"status": "on_hold", "reason": "mood"}, ("reason", "unknown_reason")),
        ({"status": "on_hold", "status_at": "2090-01-01T00:00:00Z"}, ("status_at", "in_the_future")),
    ):
        assert codes(api.patch(address, wrong, format="json")) == {code}


def test_an_event_is_kept_once_and_means_what_its_code_means(api: Any) -> None:
    made = make(api)
    CodeMapping.objects.create(
        carrier=Carrier.objects.get(), code="DLV", status="delivered", valid_from="2020-01-01"
    )  # fmt: skip
    address = f"/api/v1/shipments/{made['id']}/events/"
    event = {"at": "2026-11-20T10:00:00+01:00", "code": "dlv", "text": "Done", "place": "Lille"}
    answers = [api.post(address, event, format="json") for _again in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json() == api.get(address).json()[0]
    assert Shipment.objects.get().status == "delivered"
    updated = Shipment.objects.get().updated
    early = {"at": "2026-11-19T10:00:00Z", "status": "picked_up"}
    assert api.post(address, early, format="json").json()["text"] == "set to picked_up"
    assert Shipment.objects.get().updated > updated  # though its status is the same
    for wrong, code in (
        ({"code": "X"}, ("at", "bad_time")), ({"at": "2026-11-20T10:00:00", "code": "X"}, ("at", "no_zone")),
        ({"at": "2026-11-20T10:00:00Z"}, ("code", "missing")),
        ({"at": "2026-11-20T10:00:00Z", "text": "x", "reason": "late"}, ("reason", "without_status")),
        ({"at": "2026-11-20T10:00:00Z", "status": "gone"}, ("status", "unknown_status")),
    ):  # fmt: skip
        assert codes(api.post(address, wrong, format="json")) == {code}


def pdf() -> bytes:
    target = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(target)
    return target.getvalue()


def test_a_document_is_uploaded_once_and_its_bytes_come_back(api: Any) -> None:
    address = f"/api/v1/shipments/{make(api)['id']}/documents/"

    def upload(content: bytes, name: str = "pod.pdf", **more: Any) -> Any:
        body = {"file": SimpleUploadedFile(name, content), "type": "proof_of_delivery"} | more
        return api.post(address, body, format="multipart")

    first, again = upload(pdf()), upload(pdf(), "other.pdf")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"] == Document.objects.get().pk
    assert (first.json()["state"], first.json()["pages"], first.json()["source"]) == ("stored", 1, "uploaded")
    file = api.get(f"/api/v1/documents/{first.json()['id']}/file/")
    assert b"".join(file.streaming_content) == pdf()
    cut = upload(pdf()[:-40])
    assert (cut.status_code, cut.json()["state"]) == (201, "quarantined")
    tool = upload(b"MZ\x90", "tool.exe")
    assert (tool.status_code, tool.json()["state"]) == (201, "quarantined") and tool.json()["problem"]
    assert codes(upload(b"x", type="novel")) == {("type", "invalid_choice")}
    assert len(api.get(address).json()) == 3
    assert AuditEntry.objects.filter(verb="document.uploaded").count() == 3


def test_parts_and_fields_are_answered_as_asked_and_cost_nothing_otherwise(api: Any, query_budget: Any) -> None:
    pk = make(api)["id"]
    CarrierMessage.objects.create(carrier=Carrier.objects.get(), shipment_id=pk, text="Entregado")
    address = f"/api/v1/shipments/{pk}/"
    with query_budget(3):
        assert set(api.get(f"{address}?fields=id,status").json()) == {"id", "status"}
    with query_budget(6):
        whole = api.get(f"{address}?include=events,messages,documents").json()
    assert [message["text"] for message in whole["messages"]] == ["Entregado"]
    assert whole["events"] == whole["documents"] == []
    assert set(api.get(f"{address}?fields=tracking_number,messages").json()) == {"tracking_number", "messages"}
    assert codes(api.get(f"{address}?include=bills")) == {("include", "unknown_part")}
    assert api.get(f"{address}?fields=colour").status_code == 400
    message = whole["messages"][0]["id"]
    assert set(api.get(f"/api/v1/messages/{message}/?fields=text").json()) == {"text"}
    assert [set(row) for row in api.get("/api/v1/messages/?fields=id,text").json()["results"]] == [{"id", "text"}]
    assert api.get("/api/v1/shipments/999999/").json()["error"]["code"] == "not_found"


def test_viewers_read_and_change_nothing(api: Any, api_client: Any, viewer: User) -> None:
    pk, reader = make(api)["id"], api_client(viewer)
    assert reader.get(f"/api/v1/shipments/{pk}/").status_code == 200
    for answer in (
        reader.post("/api/v1/shipments/", NEW, format="json"),
        reader.patch(f"/api/v1/shipments/{pk}/", {"notes": "x"}, format="json"),
        reader.post(f"/api/v1/shipments/{pk}/events/", {}, format="json"),
        reader.post(f"/api/v1/shipments/{pk}/documents/", {}, format="multipart"),
        reader.post("/api/v1/messages/", {}, format="json"),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "permission_denied")
