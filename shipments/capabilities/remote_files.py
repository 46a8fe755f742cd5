"""What the capabilities on files of carriers' servers share: one item is one file, one chunk is one connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from services_registry.capabilities import Capability, ItemRef, Selection
from services_registry.models import Batch
from shipments.capabilities.selection import ids_of
from shipments.connections import health
from shipments.connections.payload import connection_of
from shipments.connections.words import CONTACT
from shipments.models import CarrierConnection, RemoteFile


class OnRemoteFiles(Capability):
    default_function = "shipments-fetch-documents"
    default_chunk_size = 100
    default_concurrency = 4

    def resolve(self, selection: Selection) -> Iterable[ItemRef]:
        rows = RemoteFile.objects.filter(pk__in=ids_of(selection.get("keys", [])))
        return [
            ItemRef(str(pk), name[:120]) for pk, name in rows.order_by("first_seen", "pk").values_list("pk", "name")
        ]

    def partition(self, keys: Sequence[str]) -> Mapping[str, str]:
        rows = RemoteFile.objects.filter(pk__in=map(int, keys)).order_by().values_list("pk", "connection_id")
        return {str(pk): str(connection) for pk, connection in rows}

    def admit(self, batch: Batch, group: str, holder: UUID) -> None:
        health.admit(int(group), holder)

    def context(self, batch: Batch, group: str) -> dict[str, Any]:
        return {"connection": connection_of(CarrierConnection.objects.get(pk=int(group)))}

    def note_contact(self, key: str, error_type: str, message: str) -> None:
        """Count a failed contact; errors of single files are none."""
        if error_type in CONTACT:
            connection = RemoteFile.objects.filter(pk=int(key)).values_list("connection_id", flat=True).first()
            if connection is not None:
                health.note_failure(connection, error_type, message)

    @staticmethod
    def note_success(keys: Iterable[str]) -> None:
        """At the end of a chunk, so that the connection's row is locked for a moment only."""
        connections = (
            RemoteFile.objects.filter(pk__in=map(int, keys)).order_by().values_list("connection_id", flat=True)
        )
        for connection in set(connections):
            health.note_success(connection)
