"""FTP and explicit FTPS. The FTPS server insists on TLS session reuse, as vsftpd and FileZilla Server do by default."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import ThreadedFTPServer

_PERMISSIONS = "elr"  # carriers' folders: enter, list, read


class _ReusingDataHandler(TLS_DTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
    """Refuses a data connection whose TLS session is not the control connection's."""

    def handle_ssl_established(self) -> None:
        if not SSL._lib.SSL_session_reused(self.socket._ssl):  # type: ignore[attr-defined]  # OpenSSL has no public name for it
            self._resp = ("522 SSL connection failed: session reuse required.", None)
            self.close()
            return
        super().handle_ssl_established()


def serve(root: Path, port: int, *, username: str, password: str, certificate: Path | None = None) -> ThreadedFTPServer:
    """Start serving in a thread; with a certificate (PEM with key) it is FTPS."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(username, password, str(root), perm=_PERMISSIONS)
    options: dict[str, Any] = {"authorizer": authorizer, "banner": "carrier stand-in ready", "timeout": 60}
    base: Any = FTPHandler
    if certificate:
        base = TLS_FTPHandler
        options |= {
            "certfile": str(certificate),
            "tls_control_required": True,
            "tls_data_required": True,
            "ssl_context": _context(certificate),
            "dtp_handler": _ReusingDataHandler,
        }
    handler = type("StandInHandler", (base,), options)
    # A loop of its own: the library's default one is shared by all servers of a process.
    server = ThreadedFTPServer(("127.0.0.1", port), handler, ioloop=IOLoop())
    server.max_cons = 64
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _context(certificate: Path) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_chain_file(str(certificate))
    context.use_privatekey_file(str(certificate))
    context.set_session_id(b"carrier-stand-in")
    context.set_session_cache_mode(SSL.SESS_CACHE_SERVER)
    return context
