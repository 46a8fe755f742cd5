"""The one HTTP port: Invoke and the Lambda control plane are answered here, everything else streams through to moto."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from embedded.aws import door, invoke, proxy
from embedded.aws.calls import Call, lambda_region
from embedded.aws.errors import ApiError
from embedded.aws.options import DEFAULT_REGION
from embedded.aws.upstream import Answer
from embedded.ports import HOST, free_port

if TYPE_CHECKING:
    from embedded.aws.service import Service

_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")
_BODY_LIMIT = 120_000_000  # a 50 MB zip in base64 is 67 MB
_DISCARD_LIMIT = 64_000_000


class FrontServer(ThreadingHTTPServer):
    """Threads, because every request is a wait: for a function, or for moto."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, port: int, service: Service) -> None:
        self.service = service
        self._closed = False
        self._gate = threading.Lock()
        self._connections: set[socket.socket] = set()
        # By number, because a listener bound to any port loses it when it is shut down.
        super().__init__((HOST, port or free_port()), FrontHandler)

    def open_or_close(self, spare: socket.socket | None = None) -> None:
        """Refuse connections while that fault lasts, and cut those there are, except one; listen again after it.

        A listener that is shut down keeps its port (Linux), so nobody can take it meanwhile.
        """
        with self._gate:
            wanted = self.service.faults.whole() == "refuse"
            if wanted and not self._closed:
                for connection in (self.socket, *(self._connections - {spare})):
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
            elif self._closed and not wanted:
                self.socket.listen(self.request_queue_size)
            self._closed = wanted

    def service_actions(self) -> None:
        """Called between two connections and ten times a second."""
        if self._closed:
            time.sleep(0.02)  # the poll on a closed listener does not wait
            self.open_or_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Keep the connection where it can be cut."""
        with self._gate:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """The connection is over."""
        with self._gate:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nobody's problem; anything else is one line."""
        kind, problem, _ = sys.exc_info()
        if kind and not issubclass(kind, (ConnectionError, TimeoutError)):
            sys.stderr.write(f"request failed: {kind.__name__}: {problem}\n")


class FrontHandler(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    rbufsize = 262_144
    disable_nagle_algorithm = True
    timeout = 1200  # an idle or stuck client; longer than the longest invocation
    server: FrontServer

    def _dispatch(self) -> None:
        service = self.server.service
        if self.path.startswith("/_local/"):
            self._guarded(lambda: door.answer(service, self))
            return
        if service.faults.whole() in ("down", "refuse"):
            self.close_connection = True
            return
        region = lambda_region(self.headers, self.path, DEFAULT_REGION)
        if region is None:
            self._guarded(lambda: proxy.forward(self, service.upstream))
        elif self.command == "POST" and (match := _INVOKE.fullmatch(urlsplit(self.path).path)):
            self._guarded(lambda: invoke.answer(service, self, match[1], region))
        else:
            self._guarded(
                lambda: service.control.handle(Call(self.command, self.path, region, self.read_body(_BODY_LIMIT)))
            )

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _dispatch  # noqa: N815 - names are http.server's

    def _guarded(self, work: Any) -> None:
        """Run the work and send its answer; a refusal or a dead moto becomes an AWS error."""
        try:
            answer = work()
        except ApiError as refusal:
            answer = Answer(refusal.status, refusal.body(), refusal.headers())
        except (http.client.HTTPException, ConnectionRefusedError) as problem:
            error = ApiError(503, "ServiceUnavailableException", f"The local control plane does not answer: {problem}")
            answer = Answer(error.status, error.body(), error.headers())
        except (
            KeyError,
            TypeError,
            AttributeError,
            ValueError,
        ) as problem:  # hand-made requests; boto3 sends no such thing
            sys.stderr.write(f"{self.command} {self.path[:200]}: {type(problem).__name__}: {problem}\n")
            error = ApiError(400, "InvalidRequestContentException", f"A member of the request is malformed: {problem}")
            answer = Answer(error.status, error.body(), error.headers())
        if answer is not None:
            self.send_answer(answer)

    def send_answer(self, answer: Answer, until: int | None = None) -> None:
        """Send an answer; of its body only the first ``until`` bytes, if given."""
        self.send_response_only(answer.status)
        self.send_header("x-amzn-RequestId", answer.headers.get("x-amzn-RequestId") or str(uuid.uuid4()))
        for name, value in answer.headers.items():
            if name.lower() not in proxy.HOP_HEADERS and name.lower() not in ("content-length", "x-amzn-requestid"):
                self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and answer.status != 204:
            self.wfile.write(answer.body[:until])

    def break_off(self, answer: Answer) -> None:
        """Send the head and half of the body, then close; nothing at all of an answer without a body."""
        self.close_connection = True
        if answer.body:
            self.send_answer(answer, until=len(answer.body) // 2)

    def read_body(self, limit: int) -> bytes:
        """The request body; 413 beyond the limit, 400 for a length that is none."""
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return self._read_chunks(limit)
        length = self.body_length()
        if length > limit:
            self._discard(length)
            raise ApiError(413, "RequestEntityTooLargeException", f"Request must be smaller than {limit} bytes")
        return self.rfile.read(length)

    def body_length(self) -> int:
        """Content-Length; 400 when it is not a number."""
        text = self.headers.get("Content-Length") or "0"
        if not text.isdigit():
            self.close_connection = True
            raise ApiError(400, "InvalidRequestContentException", "Content-Length must be a number")
        return int(text)

    def _read_chunks(self, limit: int) -> bytes:
        parts: list[bytes] = []
        while True:
            try:
                size = int(self.rfile.readline(1000).split(b";")[0], 16)
            except ValueError:
                self.close_connection = True
                raise ApiError(
                    400, "InvalidRequestContentException", "The chunked request body cannot be read"
                ) from None
            parts.append(self.rfile.read(size))
            self.rfile.readline(1000)
            if size == 0:
                return b"".join(parts)
            if sum(map(len, parts)) > limit:
                self.close_connection = True
                raise ApiError(413, "RequestEntityTooLargeException", f"Request must be smaller than {limit} bytes")

    def _discard(self, length: int) -> None:
        """Read a body nobody wants, so that the client gets to read the refusal; give up on a huge one."""
        if length > _DISCARD_LIMIT:
            self.close_connection = True
            return
        while length > 0 and (data := self.rfile.read(min(length, 1 << 20))):
            length -= len(data)

    def log_message(self, format: str, *args: Any) -> None:
        """No request log."""
