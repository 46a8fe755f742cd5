"""Keeping documents: original bytes under the name of their content, quarantined with a reason when they are no good."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from core.aws.documents import DocumentStorage
from services_registry.models import Batch
from shipments.choices import DocumentState, DocumentType
from shipments.models import Document, Shipment
from shipments.webhooks import tell_stored

PDF = "application/pdf"
PDF_TAIL = 1_024
"""Readers look for the end marker in the last 1,024 bytes (ISO 32000-1, annex H, note 18)."""
PDF_PIECE = 16 << 20
"""Bytes of a PDF that its inspection may hold at once."""
PIECE = 1 << 20
EXTENSIONS = {PDF: ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "image/tiff": ".tif"}
IMAGES = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff"}


@dataclass(frozen=True, slots=True)
class Inspected:
    pages: int | None
    problem: str


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
) -> tuple[Document, bool]:
    """Keep one document; (document, whether it is new). The same bytes for the same shipment and type are kept once.

    The file is named by its content, so a repetition, or a crash between file and row, leaves nothing double.

    Args:
        content: an open file that can be sought in; it is read in pieces, from its beginning. Bytes for small ones.
        origin: the `s3://` address of the same bytes, where they lie in S3: a document store in S3 copies them there.
    """
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    digest, size = _digest(stream)
    known = Document.objects.filter(shipment=shipment, type=type, sha256=digest).first()
    if known is not None:
        return known, False
    inspected = inspect(stream, content_type)
    problem = problem or inspected.problem
    values: dict[str, Any] = {
        "carrier": shipment.carrier if shipment else None,
        "state": DocumentState.QUARANTINED if problem else DocumentState.STORED,
        "problem": problem[:300],
        "file": _keep(stream, digest, size, content_type, origin),
        "name": PurePosixPath(name.replace("\\", "/")).name[:200] or f"{type}.pdf",
        "content_type": content_type[:80],
        "bytes": size,
        "pages": inspected.pages,
        "source": source,
        "remote_path": remote_path[:400],
        "batch": batch,
        "sample": bool(shipment and shipment.sample),
    }
    document, new = Document.objects.get_or_create(shipment=shipment, type=type, sha256=digest, defaults=values)
    if new and document.state == DocumentState.STORED:
        tell_stored(document)
    return document, new


def _digest(stream: BinaryIO) -> tuple[str, int]:
    """(SHA-256, bytes) of all of it."""
    made, size = hashlib.sha256(), 0
    stream.seek(0)
    while piece := stream.read(PIECE):
        made.update(piece)
        size += len(piece)
    return made.hexdigest(), size


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
    return default_storage.save(name, File(stream, name))


def inspect(stream: BinaryIO, content_type: str) -> Inspected:
    """Page count, and why the file should not be trusted (empty text: it may be)."""
    size = stream.seek(0, io.SEEK_END)
    if not size:
        return Inspected(None, "the file is empty")
    stream.seek(0)
    head = stream.read(PDF_TAIL)
    if content_type in IMAGES:
        return Inspected(1, "" if head.startswith(IMAGES[content_type]) else f"not a file of type {content_type}")
    if content_type != PDF:
        return Inspected(None, f"unexpected kind of file: {content_type}")
    if b"%PDF-" not in head:
        return Inspected(None, "not a PDF: the file does not start with %PDF-")
    stream.seek(max(0, size - PDF_TAIL))
    if b"%%EOF" not in stream.read(PDF_TAIL):
        return Inspected(None, "truncated: the PDF has no end marker (%%EOF)")
    return _read_pdf(_Bounded(stream, size))


class _Bounded(io.RawIOBase):
    """A file that cannot be asked for more than `PDF_PIECE` bytes at once.

    A page count needs little of a PDF; but pypdf loads the whole file to repair a broken one, and believes lengths.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._size - self._stream.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > PDF_PIECE:
            raise MemoryError(f"{wanted} bytes at once")
        return self._stream.read(wanted)


def _read_pdf(stream: _Bounded) -> Inspected:
    from pypdf import PdfReader  # loaded only where a PDF is read: 0.3 s

    try:
        stream.seek(0)
        reader = PdfReader(stream)  # type: ignore[arg-type]  # it asks for a buffered file, and reads like from any
        if reader.is_encrypted and not reader.decrypt(""):
            return Inspected(None, "the PDF is locked with a password")
        pages = len(reader.pages)
    except Exception as error:  # noqa: BLE001  # pypdf raises nearly anything on broken files; all mean "unreadable"
        return Inspected(None, f"the PDF cannot be read: {type(error).__name__}")
    return Inspected(pages, "" if pages else "the PDF has no pages")


def missing_documents(type: str = DocumentType.PROOF_OF_DELIVERY) -> Any:
    """Delivered shipments without a stored document of that type."""
    having = Document.objects.filter(type=type, state=DocumentState.STORED, shipment__isnull=False)
    return Shipment.objects.filter(status="delivered").exclude(pk__in=having.values("shipment"))
