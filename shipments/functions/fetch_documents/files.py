"""What is made of a remote file: the entry in an answer, its media type, and what is wrong with its bytes."""

import hashlib
import mimetypes
from typing import Any

from shipments.functions.fetch_documents.connection import RemoteFile
from shipments.functions.runtime.answer import Binary

PDF_TAIL = 1_024
"""Readers look for the end marker in the last 1,024 bytes (ISO 32000-1, annex H, note 18)."""
_SIGNATURES = {
    b"%PDF-": "application/pdf",
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
}


def entry_of(file: RemoteFile, content: bytes, address: str) -> dict[str, Any]:
    """One fetched file as the answer has it."""
    content_type = guess_type(file.name, content)
    entry = {
        "name": file.name,
        "remote_path": shown_path(file),
        "address": address,
        "folder": file.folder,
        "size": file.size,
        "modified": file.modified,
        "content_type": content_type,
        "file": Binary(content, content_type),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    problem = find_problem(file, content, content_type)
    return {**entry, "problem": problem} if problem else entry


def find_problem(file: RemoteFile, content: bytes, content_type: str) -> str | None:
    """Why `content` is not the whole file, or None."""
    if file.size is not None and len(content) != file.size:
        return f"truncated: {len(content)} bytes came, the listing says {file.size}; it may still be being written"
    if not content:
        return "truncated: the file is empty"
    if content_type == "application/pdf" and b"%%EOF" not in content[-PDF_TAIL:]:
        if content[:PDF_TAIL].lstrip().lower().startswith((b"<!doctype html", b"<html")):
            return "not a PDF: the carrier sent a web page instead"
        return "truncated: the PDF has no end marker (%%EOF)"
    return None


def guess_type(name: str, content: bytes) -> str:
    """The media type by the first bytes, else by the name."""
    for signature, media_type in _SIGNATURES.items():
        if content.startswith(signature):
            return media_type
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def shown_path(file: RemoteFile) -> str:
    """Directory and name for people."""
    folder = file.folder.rstrip("/") if file.folder not in ("", ".") else file.path.rpartition("/")[0]
    return f"{folder.encode('utf-8', 'replace').decode()}/{file.name}"
