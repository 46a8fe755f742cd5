"""Delivery notes: one item is one shipment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from services_registry.capabilities import Capability, ItemFailed, ItemRef, OpenBinary, ResultFile, Selection
from services_registry.models import Batch
from shipments.capabilities.lookup import document_files, shipment_keys
from shipments.capabilities.selection import resolve_rows
from shipments.documents.store import PDF, store_document
from shipments.filters import ShipmentFilter
from shipments.listing.search import with_ids
from shipments.models import Shipment


class RenderPdf(Capability):
    slug = "render_pdf"
    label = _("Render delivery notes")
    label_of_one = _("Render delivery note")
    item_noun = _("deliveries")
    item_model = "shipments.shipment"
    default_function = "shipments-render-pdf"
    default_chunk_size = 25

    def resolve(self, selection: Selection) -> Iterable[ItemRef]:
        return resolve_rows(selection, Shipment.objects.all(), ShipmentFilter, "tracking_number", str(self.item_noun))

    def context(self, batch: Batch, group: str) -> dict[str, Any]:
        return {"document_type": "delivery_note", "locale": str(batch.context.get("locale", "en"))}

    def payload(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        rows = with_ids(Shipment.objects.select_related("carrier"), map(int, keys))
        return {str(row.pk): {"filename": _filename(row), "html": None, "data": data_of(row)} for row in rows}

    def apply(
        self, key: str, value: Mapping[str, Any], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, Any] | None:
        shipment = Shipment.objects.select_related("carrier").filter(pk=int(key)).first()
        if shipment is None:
            raise ItemFailed("Gone", "The delivery was deleted while its note was being rendered.")
        with open_binary(value["file"]) as stream:
            document, new = store_document(
                shipment=shipment,
                type="delivery_note",
                content=stream,
                origin=str(value["file"].get("uri") or ""),
                name=str(value.get("filename") or _filename(shipment)),
                content_type=str(value.get("content_type") or PDF),
                source="rendered",
                batch=batch,
            )
        if document.problem:
            raise ItemFailed("BadDocument", f"The function's answer is not a usable PDF: {document.problem}.")
        return {"document": document.pk, "pages": document.pages, "bytes": document.bytes, "new": new}

    def find(self, text: str) -> list[str]:
        return shipment_keys(text)

    def files(self, batch: Batch, keys: Sequence[str]) -> Iterable[ResultFile]:
        return document_files(batch, keys)


def _filename(shipment: Shipment) -> str:
    return f"delivery-note-{shipment.tracking_number}.pdf"


def data_of(shipment: Shipment) -> dict[str, Any]:
    """A shipment as the delivery note's template takes it."""
    return {
        "tracking_number": shipment.tracking_number,
        "carrier": shipment.carrier.name,
        "reference": shipment.reference,
        "sender": shipment.sender,
        "recipient": shipment.recipient,
        "parcels": shipment.parcels,
        "created": shipment.created.date().isoformat(),
        "promised": shipment.promised.date().isoformat() if shipment.promised else "",
        "notes": shipment.notes,
    }
