"""FTP and explicit FTPS. Names travel as latin-1, so that any byte of a name survives the round trip."""

import contextlib
import ftplib  # noqa: S402  # carriers offer FTP; certificates are verified wherever there is TLS
import re
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from shipments.functions.fetch_documents.connection import (
    Connection,
    ConnectionFault,
    RemoteFile,
    join,
    safe_name,
    too_large,
)
from shipments.functions.runtime.errors import ItemError

BLOCK = 64 * 1024
NOT_UNDERSTOOD = ("500", "501", "502", "504")
_UNIX = re.compile(r"-[-rwxsStT]{9}\S*\s+\d+\s+\S+\s+\S+\s+(?P<size>\d+)\s+\S+\s+\S+\s+[\d:]{4,5}\s(?P<name>.+)")
_DOS = re.compile(r"\d\d-\d\d-\d{2,4}\s+\d\d:\d\d(?:[AP]M)?\s+(?P<size>\d+)\s+(?P<name>.+)")


class SessionReusingFTPS(ftplib.FTP_TLS):
    """FTP over TLS whose data channels resume the control channel's TLS session.

    Many servers demand that, to know that both belong together; the standard library does not do it
    (python/cpython#63699).
    """

    reuse_session = True

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Open a data channel, resuming the control channel's session on it."""
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321  # TLS is put around it below
        if not self._prot_p:  # type: ignore[attr-defined]  # the standard library's flag, missing in its stubs
            return conn, size
        session = self.sock.session if self.reuse_session and isinstance(self.sock, ssl.SSLSocket) else None
        try:
            return self.context.wrap_socket(conn, server_hostname=self.host, session=session), size
        except BaseException:
            conn.close()
            raise


class FtpTransport:
    """One logged-in FTP or FTPS connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ftp = _client(connection)
        self._deadline = 0.0
        try:
            with self._plain_words():
                self._ftp.connect(connection.host, connection.port)
                self._secure()
                self._ftp.login(_wire(connection.username), _wire(connection.password))
                if isinstance(self._ftp, ftplib.FTP_TLS):
                    self._ftp.prot_p()
        except ItemError:
            self.close()
            raise

    def _secure(self) -> None:
        """Start TLS before the password is sent; a server that cannot is not spoken to in the clear."""
        if not isinstance(self._ftp, ftplib.FTP_TLS):
            return
        try:
            self._ftp.auth()
        except ftplib.error_perm as error:
            if not str(error).startswith((*NOT_UNDERSTOOD, "530", "534")):
                raise
            message = (
                f"{self._connection.place} does not offer TLS ({_shown(str(error))}): choose ftp, or ask the carrier"
            )
            raise ConnectionFault("TlsFailed", message, False) from error

    def listing(self, directory: str) -> list[RemoteFile]:
        """The plain files of `directory`: MLSD, or LIST in Unix or DOS form where the server does not know MLSD."""
        with self._plain_words(f"the directory {directory}"):
            self._ftp.cwd(_wire(directory))
            base = self._ftp.pwd()
            try:
                found = [_from_facts(line, base) for line in self._lines("MLSD")]
            except ftplib.error_perm as error:
                if not str(error).startswith(NOT_UNDERSTOOD):
                    raise
                found = [_from_list(line, base) for line in self._lines("LIST")]
        return [file for file in found if file is not None]

    def complete(self, file: RemoteFile) -> RemoteFile:
        """`file` with SIZE and MDTM asked for where unknown; a server without them leaves them unknown."""
        size, modified = file.size, file.modified
        with self._plain_words(file.name), contextlib.suppress(ftplib.error_perm):
            if size is None:
                self._ftp.voidcmd("TYPE I")
                size = self._ftp.size(file.path)
            if modified is None:
                modified = _utc(self._ftp.sendcmd(f"MDTM {file.path}").removeprefix("213").strip())
        return RemoteFile(file.name, file.path, size, modified)

    def read(self, file: RemoteFile, limit: int) -> bytes:
        """The content of `file`; a file that turns out to pass `limit` costs the connection, which is then dropped."""
        if file.size is not None and file.size > limit:
            raise too_large(file, file.size, limit)
        content = bytearray()
        with self._plain_words(file.name):
            self._ftp.voidcmd("TYPE I")
            with self._ftp.transfercmd(f"RETR {file.path}") as channel:
                while block := channel.recv(BLOCK):
                    content += block
                    if len(content) > limit:
                        self.close()
                        raise too_large(file, f"more than {limit}", limit)
                    self._check_time()
                _end_tls(channel)
            self._ftp.voidresp()
        return bytes(content)

    def close(self) -> None:
        """Say goodbye if the server still listens, then close."""
        with contextlib.suppress(OSError, EOFError, ftplib.Error, AttributeError):
            if self._ftp.sock is not None:
                self._ftp.sock.settimeout(1)
                self._ftp.quit()
        self._ftp.close()

    def _lines(self, command: str) -> list[str]:
        lines: list[str] = []

        def take(line: str) -> None:
            lines.append(line)
            self._check_time()

        self._ftp.retrlines(command, take)
        return lines

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise TimeoutError

    @contextlib.contextmanager
    def _plain_words(self, what: str = "") -> Iterator[None]:
        """Start the clock of one operation and turn its errors into ours."""
        self._deadline = time.monotonic() + self._connection.longest_transfer_s
        try:
            yield
        except ftplib.Error as error:
            raise _from_reply(_shown(str(error)), what, self._connection) from error
        except (OSError, EOFError) as error:
            raise from_os_error(error, self._connection) from error


def _client(connection: Connection) -> ftplib.FTP:
    if connection.protocol == "ftp":
        return ftplib.FTP(timeout=connection.timeout_s, encoding="latin-1")  # noqa: S321  # plain FTP is what some carriers offer
    client = SessionReusingFTPS(
        context=tls_context(connection.ca_pem), timeout=connection.timeout_s, encoding="latin-1"
    )
    client.reuse_session = connection.reuse_session
    return client


def tls_context(ca_pem: str | None) -> ssl.SSLContext:
    """Certificates and host names are always verified: against `ca_pem` alone if given, else the system's authorities.

    A server's own certificate in `ca_pem` is enough (a pin), it need not be an authority.
    """
    try:
        context = ssl.create_default_context(cadata=ca_pem)
    except ssl.SSLError as error:
        raise ItemError(
            "BadConnection", "tls.ca_pem is not a PEM certificate: paste the text with its BEGIN line"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def from_os_error(error: BaseException, connection: Connection) -> ConnectionFault:
    """A socket's or TLS error in plain words."""
    place = connection.place
    if isinstance(error, ssl.SSLCertVerificationError):
        message = f"the certificate of {place} is not valid: {error.verify_message or error}"
        return ConnectionFault("CertificateInvalid", message, False)
    if isinstance(error, TimeoutError):
        return ConnectionFault("TimedOut", f"{place} did not answer within {connection.timeout_s:g} s", True)
    if isinstance(error, ConnectionRefusedError):
        return ConnectionFault(
            "ConnectionRefused", f"{place} refuses connections: is the port right, the service up?", True
        )
    if isinstance(error, socket.gaierror):
        return ConnectionFault("HostNotFound", f"the host name {connection.host!r} is not known", True)
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return ConnectionFault("TlsFailed", f"TLS with {place} failed: {error.reason or error}", False)
    return ConnectionFault(
        "ConnectionLost", f"{place} ended the connection ({str(error) or 'end of stream'})", True, dropped=True
    )


def _from_reply(reply: str, what: str, connection: Connection) -> ItemError:
    """An FTP error reply in plain words; RFC 959 section 4.2 gives the codes their meaning."""
    code, place = reply[:3], connection.place
    if code in ("530", "430", "332"):
        return ConnectionFault(
            "AuthenticationFailed", f"{place} does not accept this user name and password ({reply})", False
        )
    if code == "421":
        return ConnectionFault("ConnectionLost", f"{place} closes the connection ({reply})", True, dropped=True)
    if code == "522":
        message = f"{place} wants the TLS session reused on data channels: switch reuse_session on ({reply})"
        return ConnectionFault("TlsFailed", message, False)
    if code in ("553", "550") and re.search(r"permission|denied|not allowed|privilege|rechte", reply, re.IGNORECASE):
        return ItemError("PermissionDenied", f"{place} does not let this user at {what} ({reply})")
    if code == "550":
        return ItemError("NotFound", f"{place} has no {what} ({reply})")
    if code in ("425", "426", "450", "451", "452"):
        return ConnectionFault(
            "ConnectionLost", f"{place} broke off the transfer of {what} ({reply})", True, dropped=True
        )
    return ItemError("ServerRefused", f"{place} answered {reply}", retryable=code.startswith("4"))


def _end_tls(channel: socket.socket) -> None:
    """Close the TLS layer of a data channel. Many servers just hang up; size and end marker tell about lost bytes."""
    if isinstance(channel, ssl.SSLSocket):
        with contextlib.suppress(OSError):
            channel.unwrap()


def _from_facts(line: str, base: str) -> RemoteFile | None:
    """One MLSD line (RFC 3659): "type=file;size=12;modify=20261123101500; name"; None for what is no plain file."""
    facts_text, _, name = line.partition(" ")
    facts = dict(fact.lower().partition("=")[::2] for fact in facts_text.split(";") if fact)
    if facts.get("type", "file") != "file" or not safe_name(name):
        return None
    size = facts.get("size", "")
    return RemoteFile(
        _shown(name), join(base, name), int(size) if size.isdigit() else None, _utc(facts.get("modify", ""))
    )


def _from_list(line: str, base: str) -> RemoteFile | None:
    """One LIST line of a Unix or DOS server. Its time has no zone and often no year, so it is left unknown."""
    found = _UNIX.fullmatch(line) or _DOS.fullmatch(line)
    if found is None or not safe_name(found["name"]):
        return None
    return RemoteFile(_shown(found["name"]), join(base, found["name"]), int(found["size"]))


def _utc(text: str) -> str | None:
    """ "20261123101500" or "20261123101500.123" as "2026-11-23T10:15:00+00:00"."""
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).isoformat()
    except ValueError:
        return None


def _wire(text: str) -> str:
    """UTF-8 text in the latin-1 disguise the client sends."""
    return text.encode().decode("latin-1")


def _shown(text: str) -> str:
    """Text from the wire: UTF-8 where it is that, else latin-1."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text
