"""FTP and FTPS. Names travel as latin-1, so that any byte of a name survives the round trip."""

import contextlib
import ftplib  # noqa: S402  # carriers offer FTP; certificates are verified wherever there is TLS
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from shipments.functions.fetch_documents import lines
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
from shipments.functions.fetch_documents.faults import NOT_UNDERSTOOD, from_os_error, from_reply
from shipments.functions.fetch_documents.ftp_clients import WIRE, ImplicitFTPS, client_for
from shipments.functions.fetch_documents.lines import Entry
from shipments.functions.runtime.errors import ItemError

BLOCK = 64 * 1024
INVALID_REST = ("551", "554")


class _Enough(Exception):
    """The listing is longer than we read."""


class FtpTransport:
    """One logged-in FTP or FTPS connection."""

    def __init__(self, connection: Connection, progress: Progress = no_progress) -> None:
        self._connection = connection
        self._ftp = client_for(connection)
        self._deadline = 0.0
        self._open = self._binary = False
        try:
            with self._plain_words():
                progress("connect")
                if isinstance(self._ftp, ImplicitFTPS):
                    self._ftp.before_tls = lambda: progress("tls")
                self._ftp.connect(connection.host, connection.port)
                self._secure(progress)
                progress("login")
                self._ftp.login(self._wire(connection.username), self._wire(connection.password))
                if isinstance(self._ftp, ftplib.FTP_TLS):
                    self._ftp.prot_p()
                self._open = True
        except ItemError:
            self.close()
            raise

    def _secure(self, progress: Progress) -> None:
        """Start TLS before the password is sent; a server that cannot is not spoken to in the clear."""
        if self._connection.protocol != "ftps" or not isinstance(self._ftp, ftplib.FTP_TLS):
            return
        progress("tls")
        try:
            self._ftp.auth()
        except ftplib.error_perm as error:
            if not str(error).startswith((*NOT_UNDERSTOOD, "530", "534")):
                raise
            message = f"{self._connection.place} does not offer TLS ({self._shown(str(error))}): choose ftp, or ask the carrier"
            raise ConnectionFault("TlsFailed", message, False) from error

    def listing(self, directory: str) -> Listing:
        """Files and folders of `directory`: MLSD, or LIST in Unix or Windows form where the server does not know MLSD."""
        with self._plain_words(f"the directory {directory}"):
            self._ftp.cwd(self._wire(directory))
            base = self._ftp.pwd()
            try:
                found, unread, cut = self._entries("MLSD", lines.from_facts)
            except ftplib.error_perm as error:
                if not str(error).startswith(NOT_UNDERSTOOD):
                    raise
                now = datetime.now(UTC)
                found, unread, cut = self._entries("LIST", lambda line: lines.from_list(line, now))
        return self._listing(found, base, directory, unread, cut)

    def _entries(self, command: str, parse: Callable[[str], Entry | None]) -> tuple[list[Entry], int, bool]:
        """(entries, lines nobody understands, whether there was more)."""
        found: list[Entry] = []
        unread = 0

        def take(line: str) -> None:
            nonlocal unread
            self._check_time()
            if len(found) >= self._connection.max_entries or unread >= self._connection.max_entries:
                raise _Enough
            entry = parse(line)
            if entry is not None:
                found.append(entry)
            elif line.strip() and not line.lower().startswith("total"):
                unread += 1

        self._binary = False
        try:
            self._ftp.retrlines(command, take)
        except _Enough:
            self._ftp.close()  # what is still on its way would be taken for other answers
            return found, unread, True
        return found, unread, False

    def _listing(self, entries: list[Entry], base: str, directory: str, unread: int, cut: bool) -> Listing:
        listing = Listing(unread=unread, cut=cut)
        for entry in entries:
            name = self._shown(entry.name)
            if entry.kind == lines.OTHER or entry.name in (".", ".."):
                continue
            path = join(base, entry.name)
            if why := refusal(entry.name) or _too_long(path):
                listing.refused.append((name, why))
            elif entry.kind == lines.FOLDER:
                listing.folders.append(name)
            else:
                listing.files.append(RemoteFile(name, path, entry.size, entry.modified, directory))
        return listing

    def complete(self, file: RemoteFile) -> RemoteFile:
        """`file` with SIZE and MDTM asked for where unknown; a server without them leaves them unknown."""
        size, modified = file.size, file.modified
        with self._plain_words(file.name), contextlib.suppress(ftplib.error_perm):
            if size is None:
                self._to_binary()
                size = self._ftp.size(file.path)
            if modified is None:
                modified = lines.utc_stamp(self._ftp.sendcmd(f"MDTM {file.path}").removeprefix("213").strip())
        return replace(file, size=size, modified=modified)

    def read(self, file: RemoteFile, limit: int, content: bytearray) -> None:
        """Append what is missing; a file that turns out to pass `limit` costs the connection, which is then dropped."""
        if file.size is not None and file.size > limit:
            raise too_large(file, file.size, limit)
        with self._plain_words(file.name):
            self._to_binary()
            with self._channel(file, content) as channel:
                while block := channel.recv(BLOCK):
                    content += block
                    if len(content) > limit:
                        self.close()
                        raise too_large(file, f"more than {limit}", limit)
                    self._check_time()
                _end_tls(channel)
            self._ftp.voidresp()

    def _channel(self, file: RemoteFile, content: bytearray) -> socket.socket:
        """Where the missing bytes come from; a server without REST begins anew."""
        if content:
            try:
                return self._ftp.transfercmd(f"RETR {file.path}", rest=len(content))
            except ftplib.error_perm as error:
                if str(error).startswith(INVALID_REST):
                    message = f"{file.name} is shorter on the server by now than what came of it"
                    raise ItemError("StillGrowing", message, True) from error
                if not str(error).startswith(NOT_UNDERSTOOD):
                    raise
                content.clear()
        return self._ftp.transfercmd(f"RETR {file.path}")

    def remove(self, file: RemoteFile) -> None:
        """DELE."""
        with self._plain_words(file.name):
            self._ftp.delete(file.path)

    def move(self, file: RemoteFile, directory: str) -> None:
        """RNFR and RNTO; the directory must be there."""
        with self._plain_words(f"{file.name}, or the directory {directory}"):
            name = file.path.rpartition("/")[2]
            self._ftp.rename(file.path, join(self._wire(directory), name))

    def address(self, file: RemoteFile) -> str:
        """Its path as plain ASCII."""
        return address_of(file.path.encode(WIRE))

    def located(self, address: object) -> str:
        """The path behind an address, as `RemoteFile` has it."""
        return raw_of(address).decode(WIRE)

    def close(self) -> None:
        """Say goodbye if the server still listens, then close."""
        with contextlib.suppress(OSError, EOFError, ftplib.Error, AttributeError):
            if self._ftp.sock is not None:
                self._ftp.sock.settimeout(1)
                self._ftp.quit()
        self._ftp.close()

    def _to_binary(self) -> None:
        if not self._binary:
            self._ftp.voidcmd("TYPE I")
            self._binary = True

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise TimeoutError

    def _wire(self, text: str) -> str:
        return wire(text, self._connection.encoding).decode(WIRE)

    def _shown(self, text: str) -> str:
        return shown(text.encode(WIRE, "replace"), self._connection.encoding)

    @contextlib.contextmanager
    def _plain_words(self, what: str = "") -> Iterator[None]:
        """Start the clock of one operation and turn its errors into ours."""
        self._deadline = time.monotonic() + self._connection.longest_transfer_s
        try:
            yield
        except ftplib.Error as error:
            reply = self._shown(" ".join(str(error).split()))
            if self._connection.password:
                reply = reply.replace(self._connection.password, "…")  # some servers repeat what they were told
            raise from_reply(reply, what, self._connection, open_already=self._open) from error
        except (OSError, EOFError) as error:
            raise from_os_error(error, self._connection) from error
        except AttributeError as error:  # the client was closed: it has no socket and no file any more
            if self._ftp.sock is not None:
                raise
            raise from_os_error(EOFError(), self._connection) from error


def _end_tls(channel: socket.socket) -> None:
    """Close the TLS layer of a data channel. Many servers just hang up; size and end marker tell about lost bytes."""
    if isinstance(channel, ssl.SSLSocket):
        with contextlib.suppress(OSError):
            channel.unwrap()


def _too_long(path: str) -> str:
    length = len(address_of(path.encode(WIRE)))
    return "" if length <= LONGEST_ADDRESS else "its path is longer than we keep"
