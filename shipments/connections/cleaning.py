"""Deleting or moving files on the carrier's server: only what is safely kept here, and a step of its own after that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.aws.errors import AwsError
from services_registry.batches import start_batch
from services_registry.choices import OPEN_BATCHES, Priority
from services_registry.models import Batch
from shipments.choices import AfterFetch, DocumentState, RemoteState
from shipments.connections.listing import add_history
from shipments.connections.words import in_words
from shipments.models import CarrierConnection, Document, RemoteFile

CAPABILITY = "clean_up_files"
KEPT = (RemoteState.MATCHED, RemoteState.UNMATCHED, RemoteState.DUPLICATE)
MOST_FILES = 2_000
PAUSE = timedelta(days=1)


def files_to_clean(connection: CarrierConnection) -> QuerySet[RemoteFile]:
    """Files whose bytes are kept, which still lie on the server and which no open batch has."""
    rows = RemoteFile.objects.filter(
        Q(next_try=None) | Q(next_try__lte=timezone.now()), connection=connection, state__in=KEPT, on_server=True,
        cleaned=None, document__state=DocumentState.STORED,
    )  # fmt: skip
    return rows.exclude(batch__state__in=OPEN_BATCHES)


def files_to_clean_among(keys: Sequence[str]) -> QuerySet[RemoteFile]:
    """Those of a batch that may still be cleaned up when its chunk is sent."""
    rows = RemoteFile.objects.filter(pk__in=map(int, keys), state__in=KEPT, on_server=True, cleaned=None)
    return rows.select_related("connection", "document")


def clean_fetched(connection: CarrierConnection, *, actor: Any = None, source: str = "sweep") -> Batch | None:
    """Start a batch that deletes or moves what is kept; None when there is nothing to do."""
    with transaction.atomic():
        row = CarrierConnection.objects.select_for_update(of=("self",)).select_related("carrier").get(pk=connection.pk)
        if row.after_fetch == AfterFetch.KEEP or not row.active or row.paused_at or row.open_since:
            return None
        keys = list(files_to_clean(row).order_by("pk").values_list("pk", flat=True)[:MOST_FILES])
        if not keys:
            return None
        words = {"carrier": row.carrier.name, "n": len(keys)}
        title = (
            _("%(carrier)s: delete %(n)s fetched files")
            if row.after_fetch == AfterFetch.DELETE
            else _("%(carrier)s: move %(n)s fetched files")
        )
        batch = start_batch(
            capability=CAPABILITY, selection={"keys": [str(key) for key in keys]}, actor=actor, source=source,
            title=title % words, priority=Priority.LOW,
        )  # fmt: skip
        RemoteFile.objects.filter(pk__in=keys).update(batch=batch)
    return batch


def safely_kept(document: Document | None) -> bool:
    """Whether the bytes are in the document store now, as many as there were."""
    if document is None or document.state != DocumentState.STORED:
        return False
    try:
        return default_storage.size(str(document.file.name)) == document.bytes
    except (FileNotFoundError, AwsError):
        return False


def note_cleaned(file_id: int, done: str) -> None:
    """It is off the server (or elsewhere on it)."""
    row = RemoteFile.objects.select_for_update().get(pk=file_id)
    now = timezone.now()
    row.cleaned, row.on_server, row.clean_error, row.next_try = now, False, "", None
    words = {"deleted": _("Deleted on the server."), "moved": _("Moved on the server.")}
    add_history(row, words.get(done, _("It was off the server already.")), now)
    row.save(update_fields=["cleaned", "on_server", "clean_error", "next_try", "history"])


def note_not_cleaned(file_id: int, error_type: str, message: str) -> None:
    """It stays on the server; tried again tomorrow."""
    words = in_words(error_type, message)
    RemoteFile.objects.filter(pk=file_id, cleaned=None).update(
        clean_error=words, next_try=timezone.now() + PAUSE, tries=F("tries") + 1
    )
