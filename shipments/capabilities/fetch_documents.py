"""Proofs of delivery from the carriers' servers: one item is one shipment, one chunk is one carrier's connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from services_registry.capabilities import Capability, ItemFailed, ItemRef, OpenBinary, ResultFile, Selection
from services_registry.models import Batch
from shipments.capabilities.lookup import document_files, shipment_keys
from shipments.capabilities.selection import resolve_rows
from shipments.connections import health
from shipments.connections.fetching import fetched_for
from shipments.connections.later import clean_later
from shipments.connections.next_try import note_late
from shipments.connections.payload import connection_of
from shipments.connections.words import ANSWERED, CONTACT
from shipments.documents.store import store_document
from shipments.filters import ShipmentFilter
from shipments.listing.search import with_ids
from shipments.models import CarrierConnection, LateDocument, Shipment

NO_CONNECTION = "none"
DOCUMENT_TYPE = "proof_of_delivery"


class FetchDocuments(Capability):
    slug = "fetch_documents"
    label = _("Fetch proofs of delivery")
    label_of_one = _("Fetch proof of delivery")
    item_noun = _("deliveries")
    item_model = "shipments.shipment"
    default_function = "shipments-fetch-documents"
    default_chunk_size = 50

    def resolve(self, selection: Selection) -> Iterable[ItemRef]:
        return resolve_rows(selection, Shipment.objects.all(), ShipmentFilter, "tracking_number", str(self.item_noun))

    def partition(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The connection's id; `none` for carriers without one, whose items then fail with a clear error."""
        connections = dict(CarrierConnection.objects.filter(active=True).values_list("carrier_id", "pk"))
        rows = with_ids(Shipment.objects.all(), map(int, keys)).values_list("pk", "carrier_id")
        return {str(pk): str(connections.get(carrier, NO_CONNECTION)) for pk, carrier in rows}

    def admit(self, batch: Batch, group: str, holder: UUID) -> None:
        if group.isdigit():
            health.admit(int(group), holder)

    def context(self, batch: Batch, group: str) -> dict[str, Any]:
        """The decrypted connection. Made at the moment of the call; nothing of it is stored or logged."""
        connection = CarrierConnection.objects.filter(pk=int(group)).first() if group.isdigit() else None
        return {"connection": connection_of(connection) if connection else None}

    def payload(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        rows = with_ids(Shipment.objects.all(), map(int, keys))
        connected = set(CarrierConnection.objects.filter(active=True).values_list("carrier_id", flat=True))
        unconnected = [row for row in rows if row.carrier_id not in connected]
        if unconnected and len(unconnected) == len(rows):
            raise ItemFailed("NoConnection", "This carrier has no active connection. Add one in the admin.")
        return {
            str(row.pk): {"tracking_number": row.tracking_number, "document_type": DOCUMENT_TYPE}
            for row in rows
            if row.carrier_id in connected
        }

    def apply(
        self, key: str, value: Mapping[str, Any], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, Any] | None:
        shipment = Shipment.objects.select_related("carrier").filter(pk=int(key)).first()
        if shipment is None:
            raise ItemFailed("Gone", "The delivery was deleted while its documents were being fetched.")
        connection = CarrierConnection.objects.filter(carrier=shipment.carrier_id).first()
        stored: list[int] = []
        quarantined = 0
        for entry in value.get("files", []):
            with open_binary(entry["file"]) as stream:
                document, _new = store_document(
                    shipment=shipment,
                    type=DOCUMENT_TYPE,
                    content=stream,
                    origin=str(entry["file"].get("uri") or ""),
                    name=str(entry.get("name", "")),
                    content_type=str(entry.get("content_type") or "application/octet-stream"),
                    source="fetched",
                    batch=batch,
                    remote_path=str(entry.get("remote_path", "")),
                    problem=str(entry.get("problem") or ""),
                )
            if connection:
                fetched_for(connection, shipment, document, entry, batch)
            if document.problem:
                quarantined += 1
            else:
                stored.append(document.pk)
        if stored:
            LateDocument.objects.filter(shipment=shipment, type=DOCUMENT_TYPE).delete()
        return {"documents": len(stored), "quarantined": quarantined, "document_ids": stored}

    def apply_many(
        self, values: Mapping[str, Mapping[str, Any]], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, dict[str, Any] | ItemFailed | None]:
        results = super().apply_many(values, batch=batch, open_binary=open_binary)
        for connection in set(_connections_of(values)):
            health.note_success(connection)
            transaction.on_commit(partial(clean_later, connection))
        return results

    def find(self, text: str) -> list[str]:
        return shipment_keys(text)

    def files(self, batch: Batch, keys: Sequence[str]) -> Iterable[ResultFile]:
        return document_files(batch, keys)

    def failed(self, key: str, *, error_type: str, message: str, batch: Batch) -> None:
        """Noted with the delivery, whose document is late; and with the connection, if it is its fault."""
        if error_type == "Gone":
            return
        note_late([int(key)], DOCUMENT_TYPE, error_type, message)
        for connection in _connections_of([key]):
            if error_type in CONTACT:
                health.note_failure(connection, error_type, message)
            elif error_type in ANSWERED:
                health.note_success(connection)


def _connections_of(keys: Iterable[str]) -> list[int]:
    carriers = Shipment.objects.filter(pk__in=map(int, keys)).order_by().values("carrier")
    return list(CarrierConnection.objects.filter(carrier__in=carriers).values_list("pk", flat=True))
