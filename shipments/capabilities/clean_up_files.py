"""Deleting or moving fetched files on the carrier's server: the second step, after their bytes are safely kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from services_registry.capabilities import ItemFailed, OpenBinary
from services_registry.models import Batch
from shipments.capabilities.remote_files import OnRemoteFiles
from shipments.choices import AfterFetch
from shipments.connections.cleaning import files_to_clean_among, note_cleaned, note_not_cleaned, safely_kept


class CleanUpFiles(OnRemoteFiles):
    slug = "clean_up_files"
    label = _("Clean up on carriers' servers")
    item_noun = _("files")

    def payload(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Only what is in the document store at this very moment; the server must have as many bytes as we have."""
        asked: dict[str, dict[str, Any]] = {}
        for row in files_to_clean_among(keys):
            connection, document = row.connection, row.document
            if connection.after_fetch == AfterFetch.KEEP or document is None or not safely_kept(document):
                continue
            asked[str(row.pk)] = {"do": "clean", "address": row.address, "name": row.name, "size": document.bytes}
            if connection.after_fetch == AfterFetch.MOVE:
                asked[str(row.pk)]["move_to"] = connection.move_to
        return asked

    def apply(
        self, key: str, value: Mapping[str, Any], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, Any] | None:
        note_cleaned(int(key), str(value.get("done", "")))
        return {"done": str(value.get("done", ""))}

    def apply_many(
        self, values: Mapping[str, Mapping[str, Any]], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, dict[str, Any] | ItemFailed | None]:
        results = super().apply_many(values, batch=batch, open_binary=open_binary)
        self.note_success(values)
        return results

    def failed(self, key: str, *, error_type: str, message: str, batch: Batch) -> None:
        note_not_cleaned(int(key), error_type, message)
        self.note_contact(key, error_type, message)
