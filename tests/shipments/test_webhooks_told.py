"""Whatever changes a delivery's status tells subscribers once, with before and after; what changes nothing tells nobody."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pypdf import PdfWriter

from core.webhooks import services
from core.webhooks.models import WebhookEvent
from shipments import webhooks
from shipments.deliveries.importer import import_shipments
from shipments.documents.store import store_document
from shipments.models import AgeingRule, CarrierMessage, Shipment
from shipments.status.ageing import age_shipments

pytestmark = pytest.mark.django_db
ALL = (webhooks.CREATED, webhooks.STATUS_CHANGED, webhooks.DOCUMENT_STORED, webhooks.MESSAGE_CLASSIFIED)


def subscribe(*events: str) -> None:
    services.create_subscription(name="tool", url="https://tool.example.com/", events=events or ALL, actor=None)


def told() -> list[tuple[str, Any]]:
    """Type and data of what was told since the last time, in its sequence."""
    found = list(WebhookEvent.objects.order_by("id").values_list("type", "data"))
    WebhookEvent.objects.all().delete()
    return found


def bring(status: str, *numbers: str) -> None:
    rows = "".join(f"acme,{number},{status}\n" for number in numbers)
    import_shipments(io.BytesIO(f"carrier,tracking_number,status\n{rows}".encode()))


def test_an_import_tells_what_is_new_and_what_has_another_status() -> None:
    subscribe()
    bring("in_transit", "A1", "A2")
    assert [(kind, data["shipment"]["tracking_number"]) for kind, data in told()] == [
        (webhooks.CREATED, "A1"), (webhooks.CREATED, "A2"),
    ]  # fmt: skip
    bring("in_transit", "A1", "A2")
    assert told() == []
    import_shipments(io.BytesIO(b"carrier,tracking_number,customer\nacme,A1,Olmo\n"))
    assert told() == []
    bring("on_hold", "A1")
    [(kind, data)] = told()
    assert (kind, data["before"]) == (webhooks.STATUS_CHANGED, {"status": "in_transit", "reason": ""})
    shipment = Shipment.objects.get(tracking_number="A1")
    facts = data["shipment"]
    assert (facts["id"], facts["carrier"], facts["status"], facts["customer"]) == (
        shipment.pk, "acme", "on_hold", "Olmo",
    )  # fmt: skip
    assert facts["updated"].startswith(f"{shipment.updated:%Y-%m-%dT%H:%M}")


def test_events_silence_and_people_tell_too(api_client: Any, operator: User) -> None:
    bring("in_transit", "A1")
    shipment, api = Shipment.objects.get(), api_client(operator)
    subscribe()
    address = f"/api/v1/shipments/{shipment.pk}/"
    event = {"at": timezone.now().isoformat(), "status": "out_for_delivery"}
    for _again in range(2):
        api.post(f"{address}events/", event, format="json")
    api.patch(address, {"status": "delivered"}, format="json")
    api.patch(address, {"notes": "left at the door"}, format="json")
    AgeingRule.objects.create(from_status="delivered", after_days=30, to_status="unknown", reason="silent")
    age_shipments(timezone.now() + timedelta(days=90))
    assert [(data["before"]["status"], data["shipment"]["status"], data["shipment"]["reason"]) for _k, data in told()] == [
        ("in_transit", "out_for_delivery", ""), ("out_for_delivery", "delivered", ""), ("delivered", "unknown", "silent"),
    ]  # fmt: skip


def test_documents_and_messages_are_told_of_when_they_can_be_used(api_client: Any, operator: User) -> None:
    bring("in_transit", "A1")
    shipment = Shipment.objects.get()
    message = CarrierMessage.objects.create(carrier=shipment.carrier, shipment=shipment, text="Ausente")
    subscribe(webhooks.DOCUMENT_STORED, webhooks.MESSAGE_CLASSIFIED)
    good = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(good)
    for content in (good.getvalue(), good.getvalue(), b"no pdf"):
        store_document(shipment=shipment, type="label", content=content, name="l.pdf", source="uploaded")
    [(kind, data)] = told()
    assert (kind, data["document"]["tracking_number"], data["document"]["pages"]) == (webhooks.DOCUMENT_STORED, "A1", 1)
    address = f"/api/v1/messages/{message.pk}/"
    for _again in range(2):
        api_client(operator).patch(address, {"status": "delivery_failed"}, format="json")
    [(kind, data)] = told()[:1]
    assert (kind, data["message"]["status"], data["message"]["carrier"]) == (
        webhooks.MESSAGE_CLASSIFIED, "delivery_failed", "acme",
    )  # fmt: skip


def test_thousands_of_changes_are_told_in_few_statements_and_none_without_a_subscriber() -> None:
    numbers = [f"A{place}" for place in range(3_000)]
    bring("in_transit", *numbers)
    with CaptureQueriesContext(connection) as quiet:
        bring("on_hold", *numbers)
    assert not any("webhookevent" in query["sql"] for query in quiet.captured_queries)
    subscribe()
    with CaptureQueriesContext(connection) as loud:
        bring("in_transit", *numbers)
    assert WebhookEvent.objects.count() == 3_000
    assert len(loud) <= len(quiet) + 3
