"""What a carrier connection is and what a transport offers; the transports themselves know nothing of shipments."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from shipments.functions.runtime.errors import ItemError

DEFAULT_PORTS = {"ftp": 21, "ftps": 21, "sftp": 22}
DEFAULT_TIMEOUT_S, LONGEST_TIMEOUT_S = 15.0, 120.0
DEFAULT_MAX_BYTES = 25 * 1024 * 1024
TRANSFER_FACTOR = 4
"""A listing or a file may take this many time-outs in all: a server that only drips must not use up the invocation."""


@dataclass(frozen=True)
class Connection:
    """How to reach one carrier's files. `protocol` ftps is explicit TLS (AUTH TLS on the FTP port).

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

    @property
    def place(self) -> str:
        """The server in words for messages: "ftps server files.carrier.example:21"."""
        return f"{self.protocol} server {self.host}:{self.port}"

    @property
    def longest_transfer_s(self) -> float:
        return self.timeout_s * TRANSFER_FACTOR


@dataclass(frozen=True)
class RemoteFile:
    """One listed file. `path` is what the server is asked for; size in bytes, modified in ISO 8601 UTC, if known."""

    name: str
    path: str
    size: int | None = None
    modified: str | None = None


class Transport(Protocol):
    """Bytes in and out of one open connection. Every method may raise ConnectionFault or ItemError."""

    def listing(self, directory: str) -> list[RemoteFile]:
        """The plain files of one directory."""

    def complete(self, file: RemoteFile) -> RemoteFile:
        """`file` with size and time asked for singly where the listing did not tell."""

    def read(self, file: RemoteFile, limit: int) -> bytes:
        """The content; raises ItemError("TooLarge") instead of reading more than `limit` bytes."""

    def close(self) -> None:
        """End the connection; never raises."""


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
        raise _bad(f"protocol must be ftp, ftps or sftp, not {protocol!r}")
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
    )


def safe_name(name: str) -> bool:
    """Whether a listed name is a plain file name: servers must not lead us elsewhere with separators or dots."""
    return bool(name) and name not in (".", "..") and not any(char in "/\\" or ord(char) < ord(" ") for char in name)


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


def _number(value: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    found = value.get(name)
    if found is None:
        return default
    if isinstance(found, bool) or not isinstance(found, int | float) or not low <= found <= high:
        raise _bad(f"{name} must be a number from {low:g} to {high:g}, not {found!r}")
    return found


def _bad(message: str) -> ItemError:
    return ItemError("BadConnection", f"the connection is not complete: {message}")
