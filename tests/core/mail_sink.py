"""A mail server on a port of its own: it speaks SMTP as far as we need it, keeps what it is given, and refuses on demand."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass
class Sink:
    """`refuse_to`: answers to RCPT by address; `busy`: the answer to DATA instead of taking it; `mute`: never greets."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    refuse_to: dict[str, bytes] = field(default_factory=dict)
    busy: bytes = b""
    mute: bool = False
    connections: int = 0

    def to(self, address: str) -> list[EmailMessage]:
        return [letter for letter in self.letters if letter["To"] == address]


def body_of(letter: EmailMessage) -> str:
    part: Any = letter.get_body(("plain",))
    return str(part.get_content())


@contextmanager
def catching_mail() -> Iterator[Sink]:
    sink, closing = Sink(), threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            sink.connections += 1
            if sink.mute:
                closing.wait(10)
                return
            self.wfile.write(b"220 sink ready\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper().strip()
                if word == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                if word == b"DATA":
                    self._data()
                elif word == b"RCPT":
                    address = line.split(b"<")[1].split(b">")[0].decode()
                    self.wfile.write(sink.refuse_to.get(address, b"250 ok") + b"\r\n")
                else:
                    self.wfile.write(b"250 ok\r\n")

        def _data(self) -> None:
            if sink.busy:
                self.wfile.write(sink.busy + b"\r\n")
                return
            self.wfile.write(b"354 go on\r\n")
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line[1:] if line.startswith(b"..") else line)
            sink.letters.append(message_from_bytes(b"".join(lines), policy=policy.default))
            self.wfile.write(b"250 taken\r\n")

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address, daemon_threads = True, True

    server = Server(("127.0.0.1", 0), Handler)
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield sink
    finally:
        closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def use_sink(settings: Any, sink: Sink) -> None:
    """Mail goes there from now on."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_TIMEOUT = 1
    settings.PUBLIC_URL = "https://dash.example.com"
    settings.DEFAULT_FROM_EMAIL = "dash@example.com"
