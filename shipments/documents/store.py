"""Keeping documents: original bytes under the name of their content, quarantined with a reason when they are no good.

Bytes are kept once for all deliveries that have them. What a delivery has under the same type and name with other bytes
is a new version; the older ones stay.
"""

from __future__ import annotations

import hashlib
import io
import logging
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from celery import current_app
from django.core.cache import cache
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from core.audit import record
from core.aws.documents import DocumentStorage
from core.errors import RefusedError
from services_registry.models import Batch
from shipments.choices import DocumentState, DocumentType
from shipments.documents.inspection import EXTENSIONS, PDF, Inspected, inspect
from shipments.models import Carrier, Document, Shipment
from shipments.webhooks import tell_stored

__all__ = [
    "PDF",
    "Inspected",
    "NoRoomError",
    "digest_of",
    "inspect",
    "missing_documents",
    "settle_versions",
    "store_document",
    "wake_readers",
]
PIECE = 1 << 20
WAKE_S = 2
log = logging.getLogger(__name__)


class NoRoomError(RefusedError):
    """The file could not be written; nothing of it was kept."""

    code = "document_store_full"
    status = 507


@transaction.atomic
def store_document(
    *,
    shipment: Shipment | None,
    type: str,
    content: BinaryIO | bytes,
    name: str,
    source: str,
    origin: str = "",
    content_type: str = PDF,
    batch: Batch | None = None,
    remote_path: str = "",
    problem: str = "",
    carrier: Carrier | None = None,
) -> tuple[Document, bool]:
    """Keep one document; (document, whether it is new). The same bytes for the same shipment and type are kept once.

    The file is named by its content, so a repetition, or a crash between file and row, leaves nothing double. A document
    that somebody deleted comes back when it is brought again; a rejected one stays rejected.

    Args:
        content: an open file that can be sought in; it is read in pieces, from its beginning. Bytes for small ones.
        origin: the `s3://` address of the same bytes, where they lie in S3: a document store in S3 copies them there.
        carrier: whose it is, where the shipment is not known.

    Raises:
        NoRoomError: there is no room for it; nothing was kept.
    """
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    digest, size = digest_of(stream)
    name = PurePosixPath(name.replace("\\", "/")).name.replace("\0", "")[:200] or f"{type}.pdf"
    kin = list(Document.objects.filter(Q(sha256=digest) | Q(name=name), shipment=shipment, type=type))
    known = next((document for document in kin if document.sha256 == digest), None)
    if known is not None:
        return _brought_again(known), False
    hold_bytes(digest)
    inspected = inspect(stream, content_type, name)
    problem = problem or inspected.problem
    older = kin if shipment else []
    values: dict[str, Any] = {
        "carrier": shipment.carrier if shipment else carrier,
        "state": DocumentState.QUARANTINED if problem else DocumentState.STORED,
        "problem": problem[:300],
        "file": _keep(stream, digest, size, content_type, origin),
        "name": name,
        "content_type": content_type[:80],
        "bytes": size,
        "pages": inspected.pages,
        "source": source,
        "remote_path": remote_path[:400],
        "batch": batch,
        "version": max((document.version for document in older), default=0) + 1,
        "sample": bool(shipment and shipment.sample),
    }
    document, new = Document.objects.get_or_create(shipment=shipment, type=type, sha256=digest, defaults=values)
    if new and not problem:
        if older:
            settle_versions(document)
        tell_stored(document)
        transaction.on_commit(wake_readers, robust=True)
    return document, new


def _brought_again(known: Document) -> Document:
    if known.state != DocumentState.DELETED:
        return known
    known.state, known.state_changed = known.state_before or DocumentState.STORED, timezone.now()
    known.save(update_fields=["state", "state_changed"])
    record(actor=None, verb="document.restored", target=known, source="system", summary=known.name,
           reason="the same file was brought again")  # fmt: skip
    settle_versions(known)
    return known


def settle_versions(document: Document) -> None:
    """Of the documents with this one's delivery, type and name the newest stored one counts."""
    if document.shipment_id is None:
        return
    of_one_name = Document.objects.filter(
        shipment=document.shipment_id, type=document.type, name=document.name, state=DocumentState.STORED
    )
    newest: int = of_one_name.order_by("-version", "-pk").values_list("pk", flat=True).first() or 0
    of_one_name.exclude(pk=newest).filter(superseded=False).update(superseded=True)
    of_one_name.filter(pk=newest, superseded=True).update(superseded=False)
    document.superseded = document.state == DocumentState.STORED and document.pk != newest


def wake_readers() -> None:
    """Ask the workers to read what waits. Once in two seconds is enough: whoever reads goes on until nothing waits."""
    if cache.add("documents.wake", 1, WAKE_S):
        current_app.send_task("shipments.read_documents")  # by name: the tasks import this module


def digest_of(stream: BinaryIO) -> tuple[str, int]:
    """(SHA-256, bytes) of all of it."""
    made, size = hashlib.sha256(), 0
    stream.seek(0)
    while piece := stream.read(PIECE):
        made.update(piece)
        size += len(piece)
    return made.hexdigest(), size


def hold_bytes(digest: str, *, alone: bool = False) -> None:
    """Until the transaction ends, nobody removes these bytes; `alone`: nobody relies on them either."""
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(%s)", [int(digest[:15], 16)])


def _keep(stream: BinaryIO, digest: str, size: int, content_type: str, origin: str) -> str:
    name = f"{digest[:2]}/{digest}{EXTENSIONS.get(content_type, '.bin')}"
    try:
        if default_storage.size(name) == size:
            return name
        default_storage.delete(name)  # cut short by a crash
    except FileNotFoundError:
        pass
    if origin and isinstance(default_storage, DocumentStorage) and default_storage.adopt(origin, name, sha256=digest):
        return name
    stream.seek(0)
    try:
        return default_storage.save(name, File(stream, name))
    except OSError as error:
        with suppress(OSError):
            default_storage.delete(name)  # half of it may be there
        log.exception("document not written bytes=%s", size)
        raise NoRoomError(
            f"The document store could not take the file ({error.strerror or error}). Nothing of it was kept;"
            " make room and try again."
        ) from error


def missing_documents(type: str = DocumentType.PROOF_OF_DELIVERY) -> Any:
    """Delivered shipments without a stored document of that type."""
    having = Document.objects.filter(type=type, state=DocumentState.STORED, shipment__isnull=False)
    return Shipment.objects.filter(status="delivered").exclude(pk__in=having.values("shipment"))
