"""Kept-open HTTP connections to one endpoint, on the standard library: the shortest way for thousands of small calls.

Nothing is repeated and nothing followed: one request is one attempt, and what happened to it is said exactly.
"""

from __future__ import annotations

import base64
import http.client
import os
import select
import socket
import ssl
import threading
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from core.aws.errors import AwsUnreachable

CONNECT_TIMEOUT_S = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer with its whole body. Header names are found in any case."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Connections:
    """Safe for many threads; the connection that was used last is used first, so that the others can age."""

    def __init__(self, endpoint: str, *, most: int) -> None:
        self._endpoint = urlsplit(endpoint)
        self._most = most
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._tls = _tls() if self._endpoint.scheme == "https" else None
        proxy = get_environ_proxies(endpoint).get(self._endpoint.scheme, "")
        self._proxy = urlsplit(proxy if "//" in proxy else f"//{proxy}") if proxy else None

    def post(self, path: str, body: bytes, headers: dict[str, str], *, read_timeout_s: float) -> Reply:
        """Send one request.

        Raises:
            AwsUnreachable: `sent` is False when no connection came about; `timed_out` when the answer did not come in
                time; otherwise the connection broke after something had been sent.
        """
        connection = self._take() or self._open()
        try:
            if connection.sock is not None:
                connection.sock.settimeout(read_timeout_s)
            connection.request("POST", self._target(path), body, headers)
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read())
        except TimeoutError as error:
            connection.close()
            raise AwsUnreachable("invoke: AWS did not answer in time.", timed_out=True) from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            why = str(error) or type(error).__name__
            raise AwsUnreachable(f"invoke: the connection to AWS broke ({why}).") from error
        except BaseException:
            connection.close()
            raise
        self._give_back(connection, reusable=not answer.will_close)
        return reply

    def _target(self, path: str) -> str:
        """A proxy for plain HTTP wants the whole address."""
        return self._endpoint.geturl() + path if self._proxy and self._tls is None else path

    def _take(self) -> http.client.HTTPConnection | None:
        """An idle connection that the other side has not closed meanwhile."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.sock is not None and not _readable(connection.sock):
                return connection
            connection.close()

    def _give_back(self, connection: http.client.HTTPConnection, *, reusable: bool) -> None:
        with self._lock:
            if reusable and len(self._idle) < self._most:
                self._idle.append(connection)
                return
        connection.close()

    def _open(self) -> http.client.HTTPConnection:
        connection = self._make()
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise AwsUnreachable(f"invoke: AWS could not be reached ({error}).", sent=False) from error
        # A long invocation is a silent connection: without keep-alive a gateway on the way may drop it.
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _make(self) -> http.client.HTTPConnection:
        to = self._proxy or self._endpoint
        if self._tls is None:
            return http.client.HTTPConnection(to.hostname or "", to.port, timeout=CONNECT_TIMEOUT_S)
        connection = http.client.HTTPSConnection(
            to.hostname or "", to.port or (80 if self._proxy else 443), timeout=CONNECT_TIMEOUT_S, context=self._tls
        )
        if self._proxy:
            connection.set_tunnel(
                self._endpoint.hostname or "", self._endpoint.port or 443, _authorization(self._proxy)
            )
        return connection


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True))


def _authorization(proxy: object) -> dict[str, str]:
    user, password = getattr(proxy, "username", None), getattr(proxy, "password", None)
    if not user:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _readable(sock: socket.socket) -> bool:
    """An idle connection with something to read was closed by the other side."""
    poll = select.poll()
    poll.register(sock, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
