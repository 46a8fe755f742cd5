"""Fetching the files that wait, and keeping what comes: stored, matched to the delivery, or kept for review."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import RefusedError
from services_registry.batches import start_batch
from services_registry.choices import OPEN_BATCHES, Priority
from services_registry.models import Batch
from shipments.choices import DocumentState, Matching, RemoteState
from shipments.connections.listing import add_history, moment_of
from shipments.connections.matching import Match, match_all, pattern_of
from shipments.connections.words import in_words
from shipments.documents import changes
from shipments.documents.store import store_document
from shipments.functions.runtime.errors import ItemError
from shipments.models import CarrierConnection, Document, LateDocument, RemoteFile, Shipment

CAPABILITY = "fetch_files"
MOST_FILES = 2_000
"""In one batch; what is left waits for the next."""
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480, 1440)]
LONGEST_PATH = 400


def waiting_files(connection: CarrierConnection) -> QuerySet[RemoteFile]:
    """Whole files that may be fetched now and that no open batch has."""
    rows = RemoteFile.objects.filter(connection=connection, state=RemoteState.STABLE, next_try__lte=timezone.now())
    if not connection.fetch_unknown:
        rows = rows.filter(shipment__isnull=False)
    return rows.exclude(batch__state__in=OPEN_BATCHES)


def fetch_waiting(connection: CarrierConnection, *, actor: Any = None, source: str = "sweep") -> Batch | None:
    """Start a batch of what waits; None when nothing does, or nobody may connect. Asked twice, each file goes once."""
    with transaction.atomic():
        row = CarrierConnection.objects.select_for_update(of=("self",)).select_related("carrier").get(pk=connection.pk)
        if not row.active or row.paused_at or row.open_since:
            return None
        keys = list(waiting_files(row).order_by("first_seen", "pk").values_list("pk", flat=True)[:MOST_FILES])
        if not keys:
            return None
        batch = start_batch(
            capability=CAPABILITY, selection={"keys": [str(key) for key in keys]}, actor=actor, source=source,
            title=_("%(carrier)s: fetch %(n)s files") % {"carrier": row.carrier.name, "n": len(keys)},
            priority=Priority.NORMAL if actor else Priority.LOW,
        )  # fmt: skip
        RemoteFile.objects.filter(pk__in=keys).update(batch=batch)
    return batch


def keep_file(row: RemoteFile, entry: Mapping[str, Any], stream: BinaryIO, batch: Batch) -> Document:
    """Store one fetched file and say what it is. Inside the transaction that settles its item."""
    connection, now = row.connection, timezone.now()
    match = match_file(row)
    rows = Shipment.objects.select_related("carrier")
    shipment = rows.filter(pk=match.shipment).first() if match.shipment is not None else None
    document, is_new = _stored(connection, shipment, entry, stream, batch)
    row.document, row.shipment, row.number, row.tries = document, shipment, match.number, row.tries + 1
    row.batch, row.next_try, row.cleaned, row.clean_error = batch, None, None, ""
    row.state, row.last_error = _state_of(document, shipment, is_new, match)
    add_history(row, row.last_error or _("Stored as document %(id)s.") % {"id": document.pk}, now)
    row.save()
    if shipment and document.state == DocumentState.STORED:
        LateDocument.objects.filter(shipment=shipment, type=connection.document_type).delete()
    return document


def fetched_for(
    connection: CarrierConnection, shipment: Shipment, document: Document, entry: Mapping[str, Any], batch: Batch
) -> None:
    """A file that was fetched for a delivery is known from now on: no sweep fetches it again."""
    address = str(entry.get("address") or "")
    if not address:
        return
    now, stamp = timezone.now(), str(entry.get("modified") or "")[:40]
    bad = document.state != DocumentState.STORED
    row, _new = RemoteFile.objects.select_for_update().get_or_create(
        connection=connection, address=address, defaults={"name": str(entry.get("name", ""))[:300]}
    )
    row.size, row.stamp, row.modified = entry.get("size"), stamp, moment_of(stamp, connection.zone)
    row.folder = str(entry.get("folder", ""))[:400]
    row.document, row.shipment, row.number, row.batch = document, shipment, shipment.tracking_number, batch
    row.state = RemoteState.QUARANTINED if bad else RemoteState.MATCHED
    row.last_error, row.next_try, row.last_seen, row.on_server = document.problem[:300], None, now, True
    row.tries += 1
    add_history(row, row.last_error or _("Fetched for its delivery, as document %(id)s.") % {"id": document.pk}, now)
    row.save()


def match_file(row: RemoteFile) -> Match:
    """The delivery of a file, as deliveries and pattern are now."""
    try:
        numbers = pattern_of(row.connection).candidates(row.folder, row.name)
    except ItemError:
        numbers = []
    return match_all(row.connection.carrier_id, {"": numbers})[""]


def _stored(
    connection: CarrierConnection, shipment: Shipment | None, entry: Mapping[str, Any], stream: BinaryIO, batch: Batch
) -> tuple[Document, bool]:
    if shipment is None and (known := _known_elsewhere(connection, str(entry.get("sha256", "")))):
        return known, False
    document, is_new = store_document(
        shipment=shipment, type=connection.document_type, content=stream, name=str(entry.get("name", "")),
        content_type=str(entry.get("content_type") or "application/octet-stream"), source="fetched", batch=batch,
        origin=str(entry["file"].get("uri") or ""), remote_path=str(entry.get("remote_path", ""))[:LONGEST_PATH],
        problem=str(entry.get("problem") or ""), carrier=connection.carrier,
    )  # fmt: skip
    return document, is_new


def _known_elsewhere(connection: CarrierConnection, sha256: str) -> Document | None:
    """The same bytes, kept for a delivery of this carrier already: a copy without number needs no review."""
    of_carrier = Q(carrier=connection.carrier_id) | Q(shipment__carrier=connection.carrier_id)
    return Document.objects.filter(of_carrier, sha256=sha256, shipment__isnull=False).first() if sha256 else None


def _state_of(document: Document, shipment: Shipment | None, is_new: bool, match: Match) -> tuple[RemoteState, str]:
    if document.state != DocumentState.STORED:
        return RemoteState.QUARANTINED, document.problem[:300] or document.get_state_display()
    if not is_new:
        return RemoteState.DUPLICATE, _("The same bytes are kept already, as document %(id)s.") % {"id": document.pk}
    return (RemoteState.MATCHED, "") if shipment else (RemoteState.UNMATCHED, match.why)


@transaction.atomic
def note_file_failure(file_id: int, error_type: str, message: str) -> None:
    """A file did not come: when it is tried again, or what is wrong with it."""
    row = RemoteFile.objects.select_for_update().filter(pk=file_id).first()
    if row is None:
        return
    now = timezone.now()
    row.tries += 1
    row.last_error = in_words(error_type, message)
    if error_type == "StillGrowing":
        row.state, row.next_try = RemoteState.SEEN, None
    elif error_type == "NotFound":
        row.state, row.next_try, row.on_server = RemoteState.GONE, None, False
    elif error_type == "TooLarge":
        row.state, row.next_try = RemoteState.QUARANTINED, None
    else:
        row.next_try = now + PAUSES[min(row.tries, len(PAUSES)) - 1]
    add_history(row, row.last_error, now)
    row.save(update_fields=["tries", "last_error", "state", "next_try", "on_server", "history"])


def match_again(connection: CarrierConnection, most: int = 500) -> int:
    """Files whose delivery has come since, or that people have given one or let out of quarantine; returns how many."""
    matched = 0
    for row in _unsettled(connection)[:most]:
        document = row.document
        if document is None or (document.shipment_id is None and not _find_delivery(row, document)):
            continue
        row.state, row.last_error, row.shipment_id = RemoteState.MATCHED, "", document.shipment_id
        add_history(row, _("Its delivery is known now."), timezone.now())
        row.save(update_fields=["state", "last_error", "shipment", "history"])
        LateDocument.objects.filter(shipment=row.shipment_id, type=connection.document_type).delete()
        matched += 1
    return matched


def _unsettled(connection: CarrierConnection) -> QuerySet[RemoteFile]:
    rows = RemoteFile.objects.filter(
        connection=connection, state__in=[RemoteState.UNMATCHED, RemoteState.QUARANTINED],
        document__state=DocumentState.STORED,
    )  # fmt: skip
    return rows.select_related("document__shipment", "connection").order_by("-first_seen", "-pk")


def _find_delivery(row: RemoteFile, document: Document) -> bool:
    """Give the document to the delivery that its path names; not against what a person decided."""
    if document.matching == Matching.NONE:
        return False
    shipment = Shipment.objects.filter(pk=match_file(row).shipment or 0).first()
    if shipment is None:
        return False
    try:
        changes.attach(document, shipment, actor=None, source="system", reason=_("its path names the delivery"))
    except RefusedError:
        return False  # that has the same bytes already
    document.refresh_from_db()
    return document.shipment_id is not None
