"""Lambda: a carrier's server -> documents over one connection.

context {"connection": {...}}, see connection.py
item {"id", "tracking_number", "document_type"}          the documents of one shipment, found by the pattern
     {"id", "do": "list"}                                what the directory and its wildcards hold
     {"id", "do": "read", "address", "name", "size", "modified"}    one file of a listing, by its address
     {"id", "do": "clean", "address", "name", "size", "move_to"}    delete it there, or move it: only while unchanged
     {"id", "do": "check"}                               try the connection step by step
value {"files": [{"name", "remote_path", "address", "size", "modified", "content_type", "file", "sha256", "problem"?}]}
      list: {"files": [{"name", "address", "folder", "size", "modified"}], "folders", "refused", "unread", "cut"}
"""

from collections.abc import Callable
from typing import Any

from shipments.functions.fetch_documents.check import check_connection
from shipments.functions.fetch_documents.connection import RemoteFile, parse_connection
from shipments.functions.fetch_documents.files import entry_of, shown_path
from shipments.functions.fetch_documents.patterns import PathPattern
from shipments.functions.fetch_documents.transports import SharedConnection
from shipments.functions.runtime.batch import batch_handler
from shipments.functions.runtime.envelope import Context, Item
from shipments.functions.runtime.errors import ItemError

MOST_FILES = 20
"""Files one shipment may have in one directory; more means that the pattern is too wide."""


def open_connection(context: Context) -> SharedConnection:
    """The connection all items of one call share; it is opened when the first item needs it."""
    return SharedConnection(parse_connection(context.get("connection")))


def work(item: Item, context: Context, shared: SharedConnection) -> dict[str, Any]:
    """What the item asks for; raises ItemError("BadItem") for what nobody knows."""
    do = item.get("do", "fetch")
    if do not in _OPERATIONS:
        raise ItemError("BadItem", f"do must be one of {', '.join(_OPERATIONS)}, not {do!r}")
    return _OPERATIONS[do](item, shared)


def fetch_item(item: Item, shared: SharedConnection) -> dict[str, Any]:
    """Every file of one shipment. Raises ItemError: NotFound, TooLarge, TooManyFiles, and what the transports raise."""
    connection = shared.connection
    number = str(item.get("tracking_number") or "")
    pattern = PathPattern(connection.directory, connection.pattern, str(item.get("document_type") or ""))
    found = shared.files_of(pattern, number)
    if not found:
        message = f"no file for {number} in {connection.directory} (pattern {connection.pattern})"
        raise ItemError("NotFound", message)
    if len(found) > MOST_FILES:
        raise ItemError(
            "TooManyFiles", f"{len(found)} files match {number}: make the pattern {connection.pattern} narrower"
        )
    found.sort(key=lambda file: (file.modified or "", file.name))
    return {"files": [_fetched(shared, file) for file in found]}


def _fetched(shared: SharedConnection, file: RemoteFile) -> dict[str, Any]:
    completed, content = shared.read(file)
    return entry_of(completed, content, shared.address(completed))


def list_item(item: Item, shared: SharedConnection) -> dict[str, Any]:
    """Everything in the directories that the connection means; `limit` bounds the files that are told."""
    connection = shared.connection
    pattern = PathPattern(connection.directory, connection.pattern, str(item.get("document_type") or ""))
    folders = shared.folders(pattern)
    listings = [shared.listing(folder) for folder in folders]
    files = [file for listing in listings for file in listing.files]
    limit = int(item.get("limit") or len(files))
    return {
        "files": [
            {
                "name": file.name,
                "address": shared.address(file),
                "folder": file.folder,
                "path": shown_path(file),
                "size": file.size,
                "modified": file.modified,
            }
            for file in files[:limit]
        ],
        "total": len(files),
        "searched": folders,
        "folders": sorted({name for listing in listings for name in listing.folders})[:MOST_NAMES],
        "refused": [list(pair) for listing in listings for pair in listing.refused][:MOST_NAMES],
        "unread": sum(listing.unread for listing in listings),
        "cut": any(listing.cut for listing in listings) or limit < len(files),
    }


MOST_NAMES = 200


def read_item(item: Item, shared: SharedConnection) -> dict[str, Any]:
    """One file of a listing. Raises ItemError("StillGrowing") when it is not as it was listed any more."""
    file = _listed(item, shared)
    _, content = shared.read(file, ask=False)
    if file.size is not None and len(content) != file.size:
        now = shared.current(file)
        if now.size is not None and now.size != file.size:
            message = f"{file.name} had {file.size} bytes when it was listed and has {now.size} now"
            raise ItemError("StillGrowing", message, True)
    return {"files": [entry_of(file, content, str(item["address"]))]}


def clean_item(item: Item, shared: SharedConnection) -> dict[str, Any]:
    """Delete or move a file that is kept elsewhere; one that has changed since stays."""
    file = _listed(item, shared)
    try:
        now = shared.current(file)
        if now.size is not None and file.size is not None and now.size != file.size:
            message = f"{file.name} has {now.size} bytes now, not the {file.size} that were fetched: it stays"
            raise ItemError("Changed", message)
        if move_to := item.get("move_to"):
            shared.move(file, str(move_to))
            return {"done": "moved"}
        shared.remove(file)
    except ItemError as error:
        if error.type != "NotFound" or item.get("move_to"):
            raise
        return {"done": "was gone"}
    return {"done": "deleted"}


def check_item(item: Item, shared: SharedConnection) -> dict[str, Any]:
    """How far a new connection gets."""
    return check_connection(shared.connection, str(item.get("document_type") or ""))


def _listed(item: Item, shared: SharedConnection) -> RemoteFile:
    size = item.get("size")
    path = shared.located(item.get("address"))
    name = str(item.get("name") or path.rpartition("/")[2])
    modified = item.get("modified")
    folder = str(item.get("folder") or "")
    return RemoteFile(name, path, size if isinstance(size, int) else None, str(modified) if modified else None, folder)


_OPERATIONS: dict[Any, Callable[[Item, SharedConnection], dict[str, Any]]] = {
    "fetch": fetch_item,
    "list": list_item,
    "read": read_item,
    "clean": clean_item,
    "check": check_item,
}

handler = batch_handler(work, prepare=open_connection, floor_s=20)
