"""Trying a connection step by step, so that a person sees how far it gets: host name, connection, TLS, login, listing."""

import socket
import time
from typing import Any

from shipments.functions.fetch_documents.connection import Connection
from shipments.functions.fetch_documents.patterns import PathPattern
from shipments.functions.fetch_documents.transports import SharedConnection, open_transport
from shipments.functions.runtime.errors import ItemError

RESOLVE, CONNECT, TLS, HOST_KEY, LOGIN, LIST = "resolve", "connect", "tls", "host_key", "login", "list"
STEPS = {
    "ftp": [RESOLVE, CONNECT, LOGIN, LIST],
    "ftps": [RESOLVE, CONNECT, TLS, LOGIN, LIST],
    "ftps_implicit": [RESOLVE, CONNECT, TLS, LOGIN, LIST],
    "sftp": [RESOLVE, CONNECT, HOST_KEY, LOGIN, LIST],
}


class _Steps:
    """The steps as they go: each is done when the next begins."""

    def __init__(self) -> None:
        self.done: list[dict[str, Any]] = []
        self.name = ""
        self._since = time.monotonic()

    def begin(self, name: str) -> None:
        self.end("")
        self.name, self._since = name, time.monotonic()

    def end(self, said: str) -> None:
        if self.name:
            self._add(self.name, True, said)
        self.name = ""

    def fail(self, name: str, error: ItemError) -> None:
        self._add(name, False, error.message, error.type)
        self.name = ""

    def _add(self, name: str, ok: bool, said: str, type_: str = "") -> None:
        ms = round((time.monotonic() - self._since) * 1000, 1)
        self.done.append({"step": name, "ok": ok, "said": said, "type": type_, "ms": ms})


def check_connection(connection: Connection, document_type: str = "") -> dict[str, Any]:
    """{"ok", "steps": [{"step", "ok", "said", "type", "ms"}], "not_reached": [...]}; a fault is the answer, not an error."""
    steps = _Steps()
    try:
        _try_all(connection, document_type, steps)
    except ItemError as error:
        steps.fail(steps.name, error)
    names = {step["step"] for step in steps.done}
    missing = [name for name in STEPS[connection.protocol] if name not in names]
    return {"ok": all(step["ok"] for step in steps.done), "steps": steps.done, "not_reached": missing}


def _try_all(connection: Connection, document_type: str, steps: _Steps) -> None:
    steps.begin(RESOLVE)
    try:
        addresses = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise ItemError("HostNotFound", f"the host name {connection.host!r} is not known", True) from error
    steps.end(", ".join(dict.fromkeys(str(address[4][0]) for address in addresses)))
    shared = SharedConnection(connection)
    shared.use(open_transport(connection, steps.begin))
    with shared:
        steps.begin(LIST)
        pattern = PathPattern(connection.directory, connection.pattern, document_type)
        folders = shared.folders(pattern)
        listings = [shared.listing(folder) for folder in folders]
        files = [file for listing in listings for file in listing.files]
        fitting = sum(pattern.takes_file(file.name, None) for file in files)
        steps.end(f"{len(files)} files in {len(folders)} folder(s), {fitting} fit the pattern")
