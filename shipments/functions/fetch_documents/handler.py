"""Lambda: a carrier's server -> the documents of many shipments over one connection; one item is one shipment.

context {"connection": {...}}, see connection.py
item {"id", "tracking_number", "document_type"}
value {"files": [{"name", "remote_path", "modified", "content_type", "file", "sha256", "problem"?}]}
"""

import hashlib
import mimetypes
from typing import Any

from shipments.functions.fetch_documents.connection import RemoteFile, parse_connection
from shipments.functions.fetch_documents.patterns import compile_pattern
from shipments.functions.fetch_documents.transports import SharedConnection
from shipments.functions.runtime.answer import Binary
from shipments.functions.runtime.batch import batch_handler
from shipments.functions.runtime.envelope import Context, Item
from shipments.functions.runtime.errors import ItemError

MOST_FILES = 20
"""Files one shipment may have in one directory; more means that the pattern is too wide."""
PDF_TAIL = 1_024
"""Readers look for the end marker in the last 1,024 bytes (ISO 32000-1, annex H, note 18)."""
_SIGNATURES = {
    b"%PDF-": "application/pdf",
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
}


def open_connection(context: Context) -> SharedConnection:
    """The connection all items of one call share."""
    return SharedConnection(parse_connection(context.get("connection")))


def fetch_item(item: Item, context: Context, shared: SharedConnection) -> dict[str, Any]:
    """Every file of one shipment. Raises ItemError: NotFound, TooLarge, TooManyFiles, and what the transports raise."""
    connection = shared.connection
    number = str(item.get("tracking_number") or "")
    pattern = compile_pattern(connection.pattern, number, str(item.get("document_type") or ""))
    found = [file for file in shared.listing(connection.directory) if pattern.match(file.name)]
    if not found:
        message = f"no file for {number} in {connection.directory} (pattern {connection.pattern})"
        raise ItemError("NotFound", message)
    if len(found) > MOST_FILES:
        raise ItemError(
            "TooManyFiles", f"{len(found)} files match {number}: make the pattern {connection.pattern} narrower"
        )
    found.sort(key=lambda file: (file.modified or "", file.name))
    return {"files": [_entry(*shared.read(file)) for file in found]}


def _entry(file: RemoteFile, content: bytes) -> dict[str, Any]:
    content_type = guess_type(file.name, content)
    entry = {
        "name": file.name,
        "remote_path": _shown_path(file),
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
        return "truncated: the PDF has no end marker (%%EOF)"
    return None


def guess_type(name: str, content: bytes) -> str:
    """The media type by the first bytes, else by the name."""
    for signature, media_type in _SIGNATURES.items():
        if content.startswith(signature):
            return media_type
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _shown_path(file: RemoteFile) -> str:
    directory = file.path.rpartition("/")[0]
    shown = directory.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return f"{shown}/{file.name}"


handler = batch_handler(fetch_item, prepare=open_connection, floor_s=20)
