"""Proofs of delivery from the carriers' servers: one item is one shipment, one chunk is one carrier's connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.capabilities import Capability, ItemFailed, ItemRef, OpenBinary, ResultFile, Selection
from services_registry.models import Batch
from shipments.capabilities.lookup import document_files, shipment_keys
from shipments.capabilities.selection import resolve_rows
from shipments.documents.store import store_document
from shipments.filters import ShipmentFilter
from shipments.listing.search import with_ids
from shipments.models import CarrierConnection, Shipment

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
        CarrierConnection.objects.filter(carrier=shipment.carrier_id).update(last_contact=timezone.now(), last_error="")
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
            if document.problem:
                quarantined += 1
            else:
                stored.append(document.pk)
        return {"documents": len(stored), "quarantined": quarantined, "document_ids": stored}

    def find(self, text: str) -> list[str]:
        return shipment_keys(text)

    def files(self, batch: Batch, keys: Sequence[str]) -> Iterable[ResultFile]:
        return document_files(batch, keys)

    def failed(self, key: str, *, error_type: str, message: str, batch: Batch) -> None:
        """A missing file says nothing about the connection; anything else is noted on it."""
        if error_type in {"NotFound", "NoConnection", "Gone"}:
            return
        carrier = Shipment.objects.filter(pk=int(key)).values("carrier")
        CarrierConnection.objects.filter(carrier__in=carrier).update(last_error=f"{error_type}: {message}"[:300])


def connection_of(connection: CarrierConnection) -> dict[str, Any]:
    """As the function takes it (batch envelope, version 1)."""
    return {
        "protocol": connection.protocol,
        "host": connection.host,
        "port": connection.port,
        "username": connection.username,
        "password": connection.password,
        "directory": connection.directory,
        "pattern": connection.pattern,
        "tls": {"reuse_session": connection.reuse_tls_session, "ca_pem": connection.ca_pem or None},
        "host_key": connection.host_key or None,
        "timeout_s": connection.timeout_s,
    }
