"""SFTP: asyncssh driven from ordinary code, one small event loop per connection."""

import asyncio
import contextlib
import hmac
import stat
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import asyncssh

from shipments.functions.fetch_documents.connection import (
    LONGEST_ADDRESS,
    Connection,
    ConnectionFault,
    Listing,
    Progress,
    RemoteFile,
    address_of,
    join,
    no_progress,
    raw_of,
    refusal,
    shown,
    too_large,
    wire,
)
from shipments.functions.fetch_documents.faults import from_os_error
from shipments.functions.runtime.errors import ItemError

BLOCK = 1024 * 1024
T = TypeVar("T")


class _PinnedHost(asyncssh.SSHClient):
    """Trusts exactly the pinned host key and remembers what the server offered."""

    def __init__(self, pinned: str, progress: Progress) -> None:
        self.pinned = pinned
        self.offered = ""
        self._progress = progress

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._progress("host_key")

    def begin_auth(self, username: str) -> None:
        self._progress("login")

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.offered = key.get_fingerprint()
        return hmac.compare_digest(self.offered.encode(), self.pinned.encode())


class SftpTransport:
    """One authenticated SFTP connection."""

    def __init__(self, connection: Connection, progress: Progress = no_progress) -> None:
        self._connection = connection
        self._runner = asyncio.Runner()
        self._host = _PinnedHost(_fingerprint(connection.host_key), progress)
        progress("connect")
        self._ssh: asyncssh.SSHClientConnection | None = None
        try:
            with self._plain_words():
                self._sftp = self._run(self._connect(), connection.longest_transfer_s)
        except ItemError:
            self.close()
            raise

    async def _connect(self) -> asyncssh.SFTPClient:
        connection = self._connection
        self._ssh = await asyncssh.connect(
            connection.host,
            connection.port,
            username=connection.username,
            password=connection.password or None,
            client_keys=_client_keys(connection.private_key),
            agent_path=None,
            config=None,
            known_hosts=([], [], []),
            client_factory=lambda: self._host,
            connect_timeout=connection.timeout_s,
            login_timeout=connection.timeout_s,
        )
        return await self._ssh.start_sftp_client(path_encoding="utf-8", path_errors="surrogateescape")

    def listing(self, directory: str) -> Listing:
        """Files and folders of `directory`."""
        with self._plain_words(f"the directory {directory}"):
            return self._run(self._list(directory), self._connection.longest_transfer_s)

    async def _list(self, directory: str) -> Listing:
        base = self._text(await self._sftp.realpath(self._path(directory)))
        files: list[RemoteFile] = []
        folders: list[str] = []
        refused: list[tuple[str, str]] = []
        seen, cut = 0, False
        async for entry in self._sftp.scandir(base):
            seen += 1
            if seen > self._connection.max_entries:
                cut = True
                break
            path = self._text(entry.filename)
            name, kind = self._shown(path), _kind(entry.attrs)
            if path in (".", "..") or kind is None:
                continue
            if why := refusal(path) or _too_long(join(base, path)):
                refused.append((name, why))
            elif kind == stat.S_IFDIR:
                folders.append(name)
            else:
                files.append(RemoteFile(name, join(base, path), entry.attrs.size, _utc(entry.attrs.mtime), directory))
        return Listing(files, folders, refused, cut=cut)

    def complete(self, file: RemoteFile) -> RemoteFile:
        """`file` with size and time asked for where unknown."""
        if file.size is not None and file.modified is not None:
            return file
        with self._plain_words(file.name):
            attrs = self._run(self._sftp.stat(file.path), self._connection.timeout_s)
        modified = file.modified if file.modified is not None else _utc(attrs.mtime)
        return replace(file, size=file.size if file.size is not None else attrs.size, modified=modified)

    def read(self, file: RemoteFile, limit: int, content: bytearray) -> None:
        """Append what is missing, read in blocks of 1 MB that are each requested in parallel pieces."""
        if file.size is not None and file.size > limit:
            raise too_large(file, file.size, limit)
        with self._plain_words(file.name):
            self._run(self._read(file, limit, content), self._connection.longest_transfer_s)

    async def _read(self, file: RemoteFile, limit: int, content: bytearray) -> None:
        async with self._sftp.open(file.path, "rb") as source:
            while block := await asyncio.wait_for(source.read(BLOCK, len(content)), self._connection.timeout_s):
                content += cast(bytes, block)
                if len(content) > limit:
                    raise too_large(file, f"more than {limit}", limit)

    def remove(self, file: RemoteFile) -> None:
        """Delete it."""
        with self._plain_words(file.name):
            self._run(self._sftp.remove(file.path), self._connection.timeout_s)

    def move(self, file: RemoteFile, directory: str) -> None:
        """Rename it; the directory must be there."""
        with self._plain_words(f"{file.name}, or the directory {directory}"):
            target = join(self._path(directory), file.path.rpartition("/")[2])
            self._run(self._sftp.rename(file.path, target), self._connection.timeout_s)

    def address(self, file: RemoteFile) -> str:
        """Its path as plain ASCII."""
        return address_of(_bytes(file.path))

    def located(self, address: object) -> str:
        """The path behind an address, as `RemoteFile` has it."""
        return raw_of(address).decode("utf-8", "surrogateescape")

    def _path(self, text: str) -> str:
        return wire(text, self._connection.encoding).decode("utf-8", "surrogateescape")

    def _text(self, path: str | bytes) -> str:
        return path if isinstance(path, str) else path.decode("utf-8", "surrogateescape")

    def _shown(self, path: str) -> str:
        return shown(_bytes(path), self._connection.encoding)

    def close(self) -> None:
        """Close connection and loop."""
        if self._ssh is not None:
            self._ssh.abort()
            with contextlib.suppress(OSError, TimeoutError, asyncssh.Error):
                self._run(self._ssh.wait_closed(), 1)
        self._runner.close()

    def _run(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        return self._runner.run(asyncio.wait_for(work, seconds))

    @contextlib.contextmanager
    def _plain_words(self, what: str = "") -> Iterator[None]:
        """Turn asyncssh's errors into ours."""
        try:
            yield
        except asyncssh.Error as error:
            raise self._from_ssh_error(error, what) from error
        except (OSError, EOFError) as error:
            raise from_os_error(error, self._connection) from error

    def _from_ssh_error(self, error: asyncssh.Error, what: str) -> ItemError:
        place, offered = self._connection.place, self._host.offered
        match error:
            case asyncssh.PermissionDenied():
                return ConnectionFault(
                    "AuthenticationFailed", f"{place} does not accept this user and password or key", False
                )
            case asyncssh.HostKeyNotVerifiable() if not self._host.pinned:
                message = (
                    f"no host key is saved for {place}; it offers {offered}: check it with the carrier, then save it"
                )
                return ConnectionFault("HostKeyUnknown", message, False)
            case asyncssh.HostKeyNotVerifiable():
                message = f"{place} offers host key {offered}, not the saved {self._host.pinned}: ask the carrier first"
                return ConnectionFault("HostKeyMismatch", message, False)
            case asyncssh.SFTPPermissionDenied():
                return ItemError("PermissionDenied", f"{place} does not let this user at {what}")
            case asyncssh.SFTPNoSuchFile() | asyncssh.SFTPNoSuchPath():
                return ItemError("NotFound", f"{place} has no {what}")
            case asyncssh.KeyExchangeFailed() | asyncssh.ProtocolError():
                return ConnectionFault(
                    "ProtocolMismatch", f"{place} and we have no common way to talk: {error.reason}", False
                )
            case asyncssh.DisconnectError(code=asyncssh.DISC_TOO_MANY_CONNECTIONS):
                return ConnectionFault("ServerBusy", f"{place} takes no more sessions at the moment", True)
            case asyncssh.DisconnectError() | asyncssh.SFTPConnectionLost() | asyncssh.SFTPNoConnection():
                return ConnectionFault(
                    "ConnectionLost", f"{place} ended the connection ({error.reason})", True, dropped=True
                )
            case _:
                return ItemError(
                    "ServerRefused", f"{place} refused {what or 'the request'}: {error.reason}", retryable=True
                )


def _fingerprint(host_key: str | None) -> str:
    """ "SHA256:..." of what is saved: a fingerprint already, or a public key (OpenSSH line or RFC 4716 text)."""
    text = (host_key or "").strip()
    if not text or text.startswith("SHA256:"):
        return text.rstrip("=")
    try:
        return asyncssh.import_public_key(text).get_fingerprint()
    except asyncssh.KeyImportError as error:
        raise ItemError(
            "BadConnection", "host_key must be SHA256:... or a public key in OpenSSH or RFC 4716 form"
        ) from error


def _client_keys(private_key: str | None) -> list[asyncssh.SSHKey] | None:
    """The key to log in with; None keeps asyncssh from looking for keys in the home folder."""
    if private_key is None:
        return None
    try:
        return [asyncssh.import_private_key(private_key)]
    except asyncssh.KeyImportError as error:
        raise ItemError(
            "BadConnection", "private_key is not an unencrypted private key in PEM or OpenSSH form"
        ) from error


def _kind(attrs: asyncssh.SFTPAttrs) -> int | None:
    """S_IFREG, S_IFDIR or None for what is neither; an entry whose kind the server does not tell is taken for a file."""
    kind = stat.S_IFMT(attrs.permissions) if attrs.permissions is not None else 0
    return {0: stat.S_IFREG, stat.S_IFREG: stat.S_IFREG, stat.S_IFDIR: stat.S_IFDIR}.get(kind)


def _utc(seconds: int | float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _too_long(path: str) -> str:
    return "" if len(address_of(_bytes(path))) <= LONGEST_ADDRESS else "its path is longer than we keep"
