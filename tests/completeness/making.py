"""Deliveries, rules and batches of which something is expected."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from services_registry.models import Batch, BatchItem
from shipments.models import Carrier, Document, DocumentRule, ExpectedDocument, Shipment

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
POD, NOTE = "proof_of_delivery", "delivery_note"


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def carrier(code: str = "nord") -> Carrier:
    return Carrier.objects.get_or_create(code=code, defaults={"name": code.title()})[0]


def rule(document_type: str = POD, **values: Any) -> DocumentRule:
    """By default: the proof, fetched, within 48 hours of delivery."""
    defaults: dict[str, Any] = {
        "from_status": "delivered" if document_type == POD else "pending", "due_hours": 48,
        "due_after": "delivered" if document_type == POD else "created",
        "obtain": "fetch" if document_type == POD else "make", "valid_from": date(2026, 1, 1),
    }  # fmt: skip
    return DocumentRule.objects.create(document_type=document_type, **defaults | values)


def delivery(number: str = "N1", *, code: str = "nord", delivered_ago: float | None = None, **values: Any) -> Shipment:
    """Ordered five days before NOW; `delivered_ago`: delivered so many hours before NOW."""
    if delivered_ago is not None:
        values = {"status": "delivered", "delivered": NOW - hours(delivered_ago), **values}
    defaults = {"created": NOW - hours(120), "updated": NOW, "sender": {"country": "ES"}, "destination_country": "FR"}
    return Shipment.objects.create(carrier=carrier(code), tracking_number=number, **defaults | values)


def document(shipment: Shipment, document_type: str, ago: float = 0, state: str = "stored") -> Document:
    return Document.objects.create(
        shipment=shipment, type=document_type, state=state, created=NOW - hours(ago), name="a.pdf", bytes=1,
        sha256=f"{shipment.pk}{document_type}{ago}{state}"[:64], source="uploaded",
    )  # fmt: skip


def tried(
    shipment: Shipment, error: str = "NotFound", ago: float = 1, *, capability: str = "fetch_documents", **values: Any
) -> BatchItem:
    """A batch of this one delivery; without an error it succeeded, and `state="pending"` is still going on."""
    state = values.pop("state", "failed" if error else "succeeded")
    batch = Batch.objects.create(capability=capability, function_name="f", title="t", created=NOW - hours(ago), total=1)
    return BatchItem.objects.create(
        batch=batch, position=0, key=str(shipment.pk), state=state, error_type=error if state == "failed" else "",
        error_message="said so" if error else "", settled=None if state == "pending" else NOW - hours(ago), **values,
    )  # fmt: skip


def stood(shipment: Shipment, document_type: str = POD) -> ExpectedDocument | None:
    return ExpectedDocument.objects.filter(shipment=shipment, document_type=document_type).first()
