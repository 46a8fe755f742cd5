"""Messages are corrected, codes mapped, and what there is can be read: over REST, by the services of the pages."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth.models import User

from core.models import AuditEntry
from core.saved_views import save_view
from shipments.deliveries.importer import import_shipments
from shipments.events.parsing import Said
from shipments.events.storing import store
from shipments.models import Carrier, CarrierMessage, CodeMapping, Shipment
from shipments.status import runs
from shipments.status.seed import seed_status_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def carrier() -> Carrier:
    import_shipments(io.BytesIO(b"carrier,tracking_number\nacme,A1\nacme,A2\n"))
    return Carrier.objects.get()


def test_a_persons_word_on_a_message_moves_its_delivery(api_client: Any, operator: User, carrier: Carrier) -> None:
    api = api_client(operator)
    body = {"carrier": "acme", "tracking_number": "A1", "text": "Destinatario ausente"}
    made = api.post("/api/v1/messages/", body, format="json").json()
    assert (made["shipment"], made["status"]) == (Shipment.objects.get(tracking_number="A1").pk, "")
    address = f"/api/v1/messages/{made['id']}/"
    said = api.patch(address, {"status": "delivery_failed", "reason": "consignee_not_home"}, format="json").json()
    assert (said["decided_by"], said["confidence"], said["applied"]) == ("person", 1.0, True)
    assert Shipment.objects.values_list("status", "reason").get(tracking_number="A1") == (
        "delivery_failed", "consignee_not_home",
    )  # fmt: skip
    api.patch(address, {"status": "on_hold"}, format="json")
    assert Shipment.objects.get(tracking_number="A1").status == "on_hold"
    assert AuditEntry.objects.filter(verb="message.corrected", source="api").count() == 2
    for wrong in ({}, {"status": "lost"}, {"status": "on_hold", "text": "other"}):
        assert api.patch(address, wrong, format="json").status_code == 400
    for wrong in ({"carrier": "acme"}, {"carrier": "none", "text": "x"}, {**body, "tracking_number": "Z"}):
        assert api.post("/api/v1/messages/", wrong, format="json").status_code == 400
    assert CarrierMessage.objects.count() == 1


def test_a_code_is_previewed_mapped_and_taken_back(
    api_client: Any, admin_user: User, operator: User, carrier: Carrier, django_capture_on_commit_callbacks: Any
) -> None:
    seed_status_data()
    event = Said(0, "A1", Shipment.objects.get(tracking_number="A1").created, "D7", "Held")
    store(carrier.pk, [event], source="webhook", received=event.at)
    api, address = api_client(admin_user), "/api/v1/code-mappings/"
    waiting = api.get("/api/v1/unmapped-codes/?carrier=acme").json()["results"]
    assert [(row["code"], row["shipments"]) for row in waiting] == [("D7", 1)]
    body = {"carrier": "acme", "code": "D7", "status": "on_hold", "reason": "customs_delay"}
    assert api_client(operator).post(address, body, format="json").status_code == 403
    preview = api.post(f"{address}?dry_run=true", body, format="json")
    assert (preview.status_code, preview.json()["changes"]) == (
        200, [{"before": "pending", "after": "on_hold", "count": 1}],
    )  # fmt: skip
    assert not CodeMapping.objects.filter(carrier=carrier, code="D7").exists()
    made = api.post(address, body, format="json")
    assert made.status_code == 201
    runs.work(made.json()["run"])
    assert Shipment.objects.get(tracking_number="A1").status == "on_hold"
    listed = api.get(f"{address}?carrier=acme&code=d7").json()["results"]
    assert [row["id"] for row in listed] == [made.json()["mapping"]["id"]]
    own = f"{address}{listed[0]['id']}/"
    assert api.delete(f"{own}?dry_run=1").json()["shipments"] == 1
    gone = api.delete(own)
    assert (gone.status_code, api.get(own).status_code) == (202, 404)
    general = CodeMapping.objects.filter(carrier=None).first()
    assert general is not None and api.delete(f"{address}{general.pk}/").status_code == 404
    for wrong in ({**body, "reason": "mood"}, {**body, "status": "lost"}, {**body, "carrier": "none"}):
        assert api.post(address, wrong, format="json").json()["error"]["code"] == "invalid"
    assert set(AuditEntry.objects.filter(verb__startswith="codes.", source="api").values_list("verb", flat=True)) == {
        "codes.mapped", "codes.taken_back",
    }  # fmt: skip


def test_what_there_is_can_be_read(api_client: Any, viewer: User, operator: User) -> None:
    seed_status_data()
    api = api_client(viewer)
    statuses = api.get("/api/v1/statuses/").json()
    assert len(statuses) == 12 and {"code": "on_hold", "label": "on hold", "tone": "yellow"} in statuses
    assert "customs_delay" in {row["code"] for row in api.get("/api/v1/reasons/").json()}
    save_view(owner=operator, list_name="shipments", name="Late", query="status=on_hold", shared=True)
    save_view(owner=operator, list_name="shipments", name="Mine", query="", shared=False)
    views = api.get("/api/v1/saved-views/").json()["results"]
    assert [(row["name"], row["query"], row["owner"]) for row in views] == [
        ("Late", "status=on_hold", operator.username)
    ]  # fmt: skip
    assert api.get(f"/api/v1/saved-views/{views[0]['id']}/").status_code == 200
