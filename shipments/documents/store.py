"""Keeping documents: original bytes under the name of their content, quarantined with a reason when they are no good."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from services_registry.models import Batch
from shipments.choices import DocumentState, DocumentType
from shipments.models import Document, Shipment

PDF = "application/pdf"
PDF_TAIL = 1_024
"""Readers look for the end marker in the last 1,024 bytes (ISO 32000-1, annex H, note 18)."""
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
    content: bytes,
    name: str,
    source: str,
    content_type: str = PDF,
    batch: Batch | None = None,
    remote_path: str = "",
    problem: str = "",
) -> tuple[Document, bool]:
    """Keep one document; (document, whether it is new). The same bytes for the same shipment and type are kept once.

    The file is named by its content, so a repetition, or a crash between file and row, leaves nothing double.
    """
    digest = hashlib.sha256(content).hexdigest()
    known = Document.objects.filter(shipment=shipment, type=type, sha256=digest).first()
    if known is not None:
        return known, False
    inspected = inspect(content, content_type)
    problem = problem or inspected.problem
    values: dict[str, Any] = {
        "carrier": shipment.carrier if shipment else None,
        "state": DocumentState.QUARANTINED if problem else DocumentState.STORED,
        "problem": problem[:300],
        "file": _keep(content, digest, content_type),
        "name": PurePosixPath(name.replace("\\", "/")).name[:200] or f"{type}.pdf",
        "content_type": content_type[:80],
        "bytes": len(content),
        "pages": inspected.pages,
        "source": source,
        "remote_path": remote_path[:400],
        "batch": batch,
        "sample": bool(shipment and shipment.sample),
    }
    return Document.objects.get_or_create(shipment=shipment, type=type, sha256=digest, defaults=values)


def _keep(content: bytes, digest: str, content_type: str) -> str:
    name = f"{digest[:2]}/{digest}{EXTENSIONS.get(content_type, '.bin')}"
    if default_storage.exists(name) and default_storage.size(name) == len(content):
        return name
    default_storage.delete(name)  # cut short by a crash
    return default_storage.save(name, ContentFile(content))


def inspect(content: bytes, content_type: str) -> Inspected:
    """Page count, and why the file should not be trusted (empty text: it may be)."""
    if not content:
        return Inspected(None, "the file is empty")
    if content_type in IMAGES:
        return Inspected(1, "" if content.startswith(IMAGES[content_type]) else f"not a file of type {content_type}")
    if content_type != PDF:
        return Inspected(None, f"unexpected kind of file: {content_type}")
    if b"%PDF-" not in content[:PDF_TAIL]:
        return Inspected(None, "not a PDF: the file does not start with %PDF-")
    if b"%%EOF" not in content[-PDF_TAIL:]:
        return Inspected(None, "truncated: the PDF has no end marker (%%EOF)")
    return _read_pdf(content)


def _read_pdf(content: bytes) -> Inspected:
    from pypdf import PdfReader  # loaded only where a PDF is read: 0.3 s

    try:
        reader = PdfReader(io.BytesIO(content))
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
