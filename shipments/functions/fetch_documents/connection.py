"""What a carrier connection is and what a transport offers; the transports themselves know nothing of shipments."""

import codecs
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote_from_bytes, unquote_to_bytes

from shipments.functions.runtime.errors import ItemError

DEFAULT_PORTS = {"ftp": 21, "ftps": 21, "ftps_implicit": 990, "sftp": 22}
DEFAULT_TIMEOUT_S, LONGEST_TIMEOUT_S = 15.0, 120.0
DEFAULT_MAX_BYTES = 25 * 1024 * 1024
TRANSFER_FACTOR = 4
"""A listing or a file may take this many time-outs in all: a server that only drips must not use up the invocation."""
MOST_ENTRIES = 50_000
"""Entries of one directory that are read; a listing that goes on is cut there."""
LONGEST_ADDRESS = 2_000
_FALLBACK = "cp1252"
"""What names are taken for that are not UTF-8: western servers, Windows above all."""


@dataclass(frozen=True)
class Connection:
    """How to reach one carrier's files. `protocol` ftps is explicit TLS (AUTH TLS on the FTP port), ftps_implicit TLS
    from the first byte.

    `passive`: the server opens the data ports; active mode needs a way in to us. `encoding`: of names on the server;
    empty is UTF-8, and where that cannot be, cp1252.

    `ca_pem`: PEM certificates to trust instead of the system's. `host_key`: "SHA256:..." or a public key line; SFTP
    refuses to go on without one. `private_key`: PEM or OpenSSH text, used before the password.
    """

    protocol: str
    host: str
    port: int
    username: str
    password: str = field(default="", repr=False)
    private_key: str | None = field(default=None, repr=False)
    directory: str = "/"
    pattern: str = "{tracking_number}*"
    reuse_session: bool = True
    ca_pem: str | None = field(default=None, repr=False)
    host_key: str | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    max_bytes: int = DEFAULT_MAX_BYTES
    passive: bool = True
    encoding: str = ""
    max_entries: int = MOST_ENTRIES

    @property
    def place(self) -> str:
        """The server in words for messages: "ftps server files.carrier.example:21"."""
        return f"{self.protocol} server {self.host}:{self.port}"

    @property
    def longest_transfer_s(self) -> float:
        return self.timeout_s * TRANSFER_FACTOR


@dataclass(frozen=True)
class RemoteFile:
    """One listed file. `path` is what the server is asked for; size in bytes, if known.

    `modified` is ISO 8601 in UTC, or without an offset where the server tells the time of a zone that it does not name.
    `folder` is the directory as it was asked for.
    """

    name: str
    path: str
    size: int | None = None
    modified: str | None = None
    folder: str = ""


@dataclass(frozen=True)
class Listing:
    """What one directory holds. `refused` are names that no file of ours may have, each with the reason.

    `cut`: there was more than we read. `unread`: lines in a form that nobody knows.
    """

    files: list[RemoteFile] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    unread: int = 0
    cut: bool = False


class Transport(Protocol):
    """Bytes in and out of one open connection. Every method may raise ConnectionFault or ItemError."""

    def listing(self, directory: str) -> Listing:
        """The plain files and the folders of one directory."""

    def complete(self, file: RemoteFile) -> RemoteFile:
        """`file` with size and time asked for singly where the listing did not tell."""

    def read(self, file: RemoteFile, limit: int, content: bytearray) -> None:
        """Append the file from byte `len(content)` on: what came before a fault stays there, to go on from.

        A server that cannot begin in the middle gives the whole file again. Raises ItemError("TooLarge") instead of
        reading more than `limit` bytes.
        """

    def remove(self, file: RemoteFile) -> None:
        """Delete it on the server."""

    def move(self, file: RemoteFile, directory: str) -> None:
        """Rename it into another directory of the server."""

    def address(self, file: RemoteFile) -> str:
        """Its path as plain ASCII, for another call."""

    def located(self, address: object) -> str:
        """The path behind an address, as `RemoteFile` has it; raises ItemError("BadData")."""

    def close(self) -> None:
        """End the connection; never raises."""


Progress = Callable[[str], None]
"""Told the name of each step of connecting as it begins: connect, tls, host_key, login."""


def no_progress(_step: str) -> None:
    """Nobody is watching."""


class ConnectionFault(ItemError):
    """The connection is not usable any more (or never was). `dropped`: it had worked, a new one may work again."""

    def __init__(self, type: str, message: str, retryable: bool, *, dropped: bool = False) -> None:  # noqa: A002  # as in ItemError
        super().__init__(type, message, retryable)
        self.dropped = dropped


def parse_connection(value: object) -> Connection:
    """The envelope's context.connection; raises ItemError("BadConnection") naming the field that is wrong."""
    if not isinstance(value, Mapping):
        raise _bad("connection must be a JSON object with protocol, host, username")
    protocol = str(value.get("protocol", "")).lower()
    if protocol not in DEFAULT_PORTS:
        raise _bad(f"protocol must be ftp, ftps, ftps_implicit or sftp, not {protocol!r}")
    for name in ("host", "username"):
        if not isinstance(value.get(name), str) or not value[name].strip():
            raise _bad(f"{name} is missing")
    tls = value.get("tls") or {}
    if not isinstance(tls, Mapping):
        raise _bad("tls must be a JSON object with reuse_session and ca_pem")
    return Connection(
        protocol=protocol,
        host=value["host"].strip(),
        port=int(_number(value, "port", DEFAULT_PORTS[protocol], 1, 65_535)),
        username=value["username"],
        password=str(value.get("password") or ""),
        private_key=value.get("private_key") or None,
        directory=_directory(value.get("directory") or "."),
        pattern=str(value.get("pattern") or Connection.pattern),
        reuse_session=bool(tls.get("reuse_session", True)),
        ca_pem=tls.get("ca_pem") or None,
        host_key=value.get("host_key") or None,
        timeout_s=_number(value, "timeout_s", DEFAULT_TIMEOUT_S, 0.1, LONGEST_TIMEOUT_S),
        max_bytes=int(_number(value, "max_bytes", DEFAULT_MAX_BYTES, 1, 200 * 1024 * 1024)),
        passive=value.get("passive") is not False,
        encoding=_encoding(value.get("encoding") or ""),
        max_entries=int(_number(value, "max_entries", MOST_ENTRIES, 1, MOST_ENTRIES)),
    )


def safe_name(name: str) -> bool:
    """Whether a listed name is a plain file name: servers must not lead us elsewhere with separators or dots."""
    return not refusal(name)


def refusal(name: str) -> str:
    """Why a listed name is not a plain file name; empty for one that is."""
    if not name or name in (".", ".."):
        return "it is no name"
    if any(char in "/\\" for char in name):
        return "its name holds a path"
    if any(ord(char) < ord(" ") or ord(char) == 127 for char in name):
        return "its name holds control characters"
    if len(name) > 255:
        return f"its name has {len(name)} characters, more than the 255 that file systems take"
    return ""


def shown(raw: bytes, encoding: str = "") -> str:
    """A name as people read it; bytes that make no sense in the encoding become stand-ins."""
    if encoding:
        text = raw.decode(encoding, "replace")
    else:
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode(_FALLBACK, "replace")
    return "".join(char if char.isprintable() or char == "\u3000" else "\ufffd" for char in text)


def wire(text: str, encoding: str = "") -> bytes:
    """Text of ours (a directory, a user name) as the server spells it."""
    try:
        return text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return text.encode()


def address_of(raw: bytes) -> str:
    """A path on the server as plain ASCII, whatever its bytes are; `raw_of` brings them back."""
    return quote_from_bytes(raw, safe="/ !$&'()+,;=@~[]{}")


def raw_of(address: object) -> bytes:
    """The path behind an address; raises ItemError("BadData") for what is none."""
    if not isinstance(address, str) or not address or len(address) > LONGEST_ADDRESS or not address.isascii():
        raise ItemError("BadData", f"{str(address)[:60]!r} is no address of a file on a server")
    raw = unquote_to_bytes(address)
    if any(byte < ord(" ") for byte in raw) or b".." in raw.split(b"/"):
        raise ItemError("BadData", f"{address[:60]!r} is no address of a file on a server")
    return raw


def join(directory: str, name: str) -> str:
    return posixpath.join(directory, name)


def too_large(file: RemoteFile, size: object, limit: int) -> ItemError:
    return ItemError(
        "TooLarge", f"{file.name} has {size} bytes; at most {limit} are fetched. Raise the limit or ask the carrier"
    )


def _directory(value: object) -> str:
    text = str(value)
    if ".." in text.split("/") or any(ord(char) < ord(" ") for char in text):
        raise _bad("directory must not go upwards (..) or hold control characters")
    return text


def _encoding(value: object) -> str:
    try:
        return codecs.lookup(str(value)).name if value else ""
    except LookupError as error:
        raise _bad(f"encoding {value!r} is not known; name one like iso-8859-1 or cp1252, or leave it out") from error


def _number(value: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    found = value.get(name)
    if found is None:
        return default
    if isinstance(found, bool) or not isinstance(found, int | float) or not low <= found <= high:
        raise _bad(f"{name} must be a number from {low:g} to {high:g}, not {found!r}")
    return found


def _bad(message: str) -> ItemError:
    return ItemError("BadConnection", f"the connection is not complete: {message}")
