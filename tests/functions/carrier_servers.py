"""Carriers' servers for tests, on 127.0.0.1 and free ports: FTP, FTPS that insists on TLS session reuse, SFTP."""

import asyncio
import datetime as dt
import ipaddress
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.filesystems import AbstractedFS
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

USER, PASSWORD = "shipper", "pa55 wörd"


@dataclass
class Server:
    """A running server: its port, the commands it saw, and faults still to come."""

    port: int = 0
    commands: list[str] = field(default_factory=list)
    logins: int = 0
    drops: int = 0
    """Connections closed as soon as a file is asked for."""
    cuts: int = 0
    cut_at: int = 100_000
    """So many transfers break off after so many bytes each."""
    size_lie: int = 0
    """Bytes that listings and SIZE say too much."""
    extra_lines: list[str] = field(default_factory=list)
    """Lines that listings show besides the files, in the latin-1 disguise."""
    endless: bool = False
    at_once: int = 0
    most_at_once: int = 0
    """Sessions that were logged in at the same time."""
    resumed_from: list[int] = field(default_factory=list)
    pem: str = ""
    host_key: str = ""


def certificate(folder: Path, *, host: str | None = None) -> tuple[Path, str]:
    """A self-made certificate for 127.0.0.1 (or for `host` only): the file with its key, and the certificate's text."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "carrier under test")])
    alternative = x509.DNSName(host) if host else x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(hours=1))
    made = builder.add_extension(x509.SubjectAlternativeName([alternative]), False).sign(key, hashes.SHA256())
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{host or 'carrier'}.pem"
    file.write_bytes(pem + secret)
    return file, pem.decode()


class _ReuseDemanded(TLS_DTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
    """Refuses a data channel that does not resume a TLS session, as vsftpd and ProFTPD do."""

    def handle_ssl_established(self) -> None:
        if not SSL._lib.SSL_session_reused(self.socket._ssl):  # type: ignore[attr-defined]  # OpenSSL has no public name for it
            self._resp = ("522 SSL connection failed: session reuse required.", None)
            self.close()
            return
        super().handle_ssl_established()


def _breaking(base: Any, server: Server) -> Any:
    """A data channel that breaks off in the middle of a file while `server.cuts` lasts."""

    class Breaking(base):  # type: ignore[misc]  # pyftpdlib has no types
        sent = 0

        def use_sendfile(self) -> bool:
            return False

        def send(self, data: bytes) -> int:
            if server.cuts and self.file_obj is not None and self.sent >= server.cut_at:
                server.cuts -= 1
                self.cmd_channel.close()
                self.close()
                return 0
            count: int = super().send(data)
            self.sent += count
            return count

    return Breaking


def _odd_files(server: Server) -> Any:
    """A file system whose listings hold what `server` says besides the truth."""

    class OddFiles(AbstractedFS):  # type: ignore[misc]  # the same
        def getsize(self, path: str) -> int:
            return int(super().getsize(path)) + server.size_lie

        def format_mlsx(self, basedir: str, listing: list[str], *rest: Any, **more: Any) -> Iterator[bytes]:
            for line in super().format_mlsx(basedir, listing, *rest, **more):
                yield re.sub(rb"size=(\d+)", lambda m: b"size=%d" % (int(m[1]) + server.size_lie), line)
            yield from (f"{line}\r\n".encode("latin-1") for line in server.extra_lines)
            number = 0
            while server.endless:
                number += 1
                yield b"type=file;size=5;modify=20261101000000; endless%09d.pdf\r\n" % number

        def format_list(self, *rest: Any, **more: Any) -> Iterator[bytes]:
            yield from super().format_list(*rest, **more)
            yield from (f"{line}\r\n".encode("latin-1") for line in server.extra_lines)

    return OddFiles


@contextmanager
def ftp_server(
    root: Path,
    *,
    tls: Path | None = None,
    pem: str = "",
    rights: str = "elr",
    mlsd: bool = True,
    reuse: bool = True,
    implicit: bool = False,
    sessions: int = 100,
    without: tuple[str, ...] = (),
) -> Iterator[Server]:
    """A pyftpdlib server; with `tls` (a PEM file) encryption is required on both channels.

    `implicit`: TLS from the first byte. `sessions`: one more is answered with 421. `without`: commands it does not know.
    """
    server = Server(pem=pem)
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(root), perm=rights)

    class Handler(TLS_FTPHandler if tls else FTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
        auth_failed_timeout = 0.05

        def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
            server.commands.append(cmd)
            if cmd == "RETR" and server.drops:
                server.drops -= 1
                self.close()
                return
            super().pre_process_command(line, cmd, arg)

        def ftp_REST(self, line: str) -> None:
            server.resumed_from.append(int(line))
            super().ftp_REST(line)

        def on_login(self, username: str) -> None:
            server.logins += 1
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)

        def on_disconnect(self) -> None:
            server.at_once -= self.authenticated

        if implicit:

            def handle(self) -> None:
                self.secure_connection(self.ssl_context)

            def handle_ssl_established(self) -> None:
                super().handle()

    Handler.authorizer = authorizer
    Handler.abstracted_fs = _odd_files(server)
    Handler.dtp_handler = _breaking((_ReuseDemanded if reuse else TLS_DTPHandler) if tls else DTPHandler, server)
    unknown = {*without, *(() if mlsd else ("MLSD", "MDTM"))}
    if unknown:
        known = (TLS_FTPHandler if tls else FTPHandler).proto_cmds
        Handler.proto_cmds = {name: value for name, value in known.items() if name not in unknown}
    if tls:
        Handler.certfile = str(tls)
        Handler.tls_control_required = Handler.tls_data_required = True
    ftp = FTPServer(("127.0.0.1", 0), Handler, ioloop=IOLoop())
    ftp.max_cons = sessions + 1  # its own listening socket counts
    server.port = ftp.socket.getsockname()[1]
    running = threading.Event()
    running.set()

    def serve() -> None:
        while running.is_set():
            ftp.ioloop.loop(timeout=0.02, blocking=False)
        ftp.close_all()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server
    finally:
        running.clear()
        thread.join(5)


@contextmanager
def sftp_server(root: Path, *, public_key: str = "") -> Iterator[Server]:
    """An asyncssh server with a key of its own; `drops` closes that many connections when a file is opened."""
    server, loop = Server(), asyncio.new_event_loop()
    key = asyncssh.generate_private_key("ssh-ed25519")
    server.host_key = key.get_fingerprint()

    class Login(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def public_key_auth_supported(self) -> bool:
            return bool(public_key)

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            server.logins += 1
            return key.export_public_key().decode().split()[1] == public_key.split()[1]

        def validate_password(self, username: str, password: str) -> bool:
            server.logins += (username, password) == (USER, PASSWORD)
            return (username, password) == (USER, PASSWORD)

    class Files(asyncssh.SFTPServer):
        def __init__(self, chan: Any) -> None:
            super().__init__(chan, chroot=str(root).encode())

        def scandir(self, path: bytes) -> Any:
            server.commands.append("scandir")
            return super().scandir(path)

        def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
            server.commands.append("open")
            if server.drops:
                server.drops -= 1
                self.channel.get_connection().abort()
            return super().open(path, pflags, attrs)

        def read(self, file_obj: Any, offset: int, size: int) -> Any:
            if server.cuts and offset >= server.cut_at:
                server.cuts -= 1
                self.channel.get_connection().abort()
            server.resumed_from.append(offset)
            return super().read(file_obj, offset, size)

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen("127.0.0.1", 0, server_factory=Login, server_host_keys=[key], sftp_factory=Files)

    acceptor = loop.run_until_complete(start())
    server.port = acceptor.get_port()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(acceptor.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
