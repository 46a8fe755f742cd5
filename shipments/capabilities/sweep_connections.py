"""Looking for new files: one item is one connection, one invocation is its listing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from services_registry.capabilities import Capability, ItemFailed, ItemRef, OpenBinary, Selection
from services_registry.models import Batch
from shipments.capabilities.selection import ids_of
from shipments.connections import health, listing
from shipments.connections.payload import connection_of
from shipments.functions.runtime.errors import ItemError
from shipments.models import CarrierConnection


class SweepConnections(Capability):
    slug = "sweep_connections"
    label = _("Look for files of carriers")
    item_noun = _("connections")
    default_function = "shipments-fetch-documents"
    default_chunk_size = 1
    default_concurrency = 8

    def resolve(self, selection: Selection) -> Iterable[ItemRef]:
        rows = CarrierConnection.objects.filter(active=True).select_related("carrier")
        if "keys" in selection:
            rows = rows.filter(pk__in=ids_of(selection["keys"]))
        return [ItemRef(str(row.pk), str(row)[:120]) for row in rows]

    def partition(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {key: key for key in keys}

    def admit(self, batch: Batch, group: str, holder: UUID) -> None:
        health.admit(int(group), holder)

    def context(self, batch: Batch, group: str) -> dict[str, Any]:
        return {"connection": connection_of(CarrierConnection.objects.get(pk=int(group)))}

    def payload(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        rows = CarrierConnection.objects.filter(pk__in=map(int, keys))
        return {str(row.pk): {"do": "list", "document_type": row.document_type} for row in rows}

    def apply(
        self, key: str, value: Mapping[str, Any], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, Any] | None:
        connection = CarrierConnection.objects.get(pk=int(key))
        try:
            facts = listing.take_listing(connection, value)
        except ItemError as error:
            raise ItemFailed(error.type, error.message) from error
        health.note_success(connection.pk)
        return facts

    def failed(self, key: str, *, error_type: str, message: str, batch: Batch) -> None:
        """Here a missing directory is a failed contact, too: nothing can come of the sweep."""
        if error_type not in {"NoConnection", "ConnectionPaused", "CarrierResting", "Gone"}:
            health.note_failure(int(key), error_type, message)
