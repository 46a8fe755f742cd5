"""Files that sweeps found whole: fetched, stored, matched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from services_registry.capabilities import ItemFailed, OpenBinary
from services_registry.models import Batch
from shipments.capabilities.remote_files import OnRemoteFiles
from shipments.choices import RemoteState
from shipments.connections.fetching import keep_file, note_file_failure
from shipments.connections.later import clean_later
from shipments.models import RemoteFile


class FetchFiles(OnRemoteFiles):
    slug = "fetch_files"
    label = _("Fetch files of carriers")
    item_noun = _("files")

    def payload(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Only what still waits: a file that another batch fetched meanwhile needs no second journey."""
        rows = RemoteFile.objects.filter(pk__in=map(int, keys), state=RemoteState.STABLE)
        return {
            str(row.pk): {
                "do": "read", "address": row.address, "name": row.name, "folder": row.folder, "size": row.size,
                "modified": row.stamp or None,
            }
            for row in rows
        }  # fmt: skip

    def apply(
        self, key: str, value: Mapping[str, Any], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, Any] | None:
        rows = RemoteFile.objects.select_for_update(of=("self",)).select_related("connection__carrier")
        row = rows.filter(pk=int(key)).first()
        if row is None:
            raise ItemFailed("Gone", "The connection was deleted while its files were being fetched.")
        (entry,) = value["files"]
        with open_binary(entry["file"]) as stream:
            document = keep_file(row, entry, stream, batch)
        return {"document_ids": [document.pk], "state": str(row.state), "delivery": row.shipment_id}

    def apply_many(
        self, values: Mapping[str, Mapping[str, Any]], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, dict[str, Any] | ItemFailed | None]:
        results = super().apply_many(values, batch=batch, open_binary=open_binary)
        self.note_success(values)
        for connection in set(
            RemoteFile.objects.filter(pk__in=map(int, values)).order_by().values_list("connection_id", flat=True)
        ):
            transaction.on_commit(partial(clean_later, connection))
        return results

    def failed(self, key: str, *, error_type: str, message: str, batch: Batch) -> None:
        if error_type != "Gone":
            note_file_failure(int(key), error_type, message)
        self.note_contact(key, error_type, message)
