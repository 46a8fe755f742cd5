"""What the standard library's FTP client lacks: the TLS session reused on data channels, and implicit TLS."""

import ftplib  # noqa: S402  # carriers offer FTP; certificates are verified wherever there is TLS
import socket
import ssl
from collections.abc import Callable

from shipments.functions.fetch_documents.connection import Connection
from shipments.functions.runtime.errors import ItemError

WIRE = "latin-1"
"""Every byte is one character, so that any name survives the round trip."""


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


class ImplicitFTPS(SessionReusingFTPS):
    """TLS from the first byte, on a port of its own (990 by custom). `before_tls` is called once the server is reached."""

    before_tls: Callable[[], None] = staticmethod(lambda: None)

    def connect(
        self,
        host: str = "",
        port: int = 0,
        timeout: float = -999,
        source_address: tuple[str, int] | None = None,
    ) -> str:
        """Connect, put TLS around it, and read the welcome."""
        self.host, self.port = host or self.host, port or self.port
        plain = socket.create_connection((self.host, self.port), self.timeout, source_address)
        self.af = plain.family
        self.before_tls()
        try:
            self.sock = self.context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome


def client_for(connection: Connection) -> ftplib.FTP:
    """A client that is not connected yet."""
    if connection.protocol == "ftp":
        client = ftplib.FTP(timeout=connection.timeout_s, encoding=WIRE)  # noqa: S321  # plain FTP is what some carriers offer
    else:
        kind = ImplicitFTPS if connection.protocol == "ftps_implicit" else SessionReusingFTPS
        client = kind(context=tls_context(connection.ca_pem), timeout=connection.timeout_s, encoding=WIRE)
        client.reuse_session = connection.reuse_session
    client.set_pasv(connection.passive)
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
