"""Everything that is not Lambda: the request streams to moto and the answer streams back, neither held in memory
here.
"""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

from embedded.aws.upstream import Upstream

if TYPE_CHECKING:
    from embedded.aws.front import FrontHandler

HOP_HEADERS = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers of one connection, RFC 9110 section 7.6.1. ``Expect`` was answered by the front itself."""
_PIECE = 1 << 20


def forward(handler: FrontHandler, upstream: Upstream) -> None:
    """Pass one request to moto and its answer to the client."""
    chunked = "chunked" in (handler.headers.get("Transfer-Encoding") or "").lower()
    connection = upstream.connect(timeout=300)
    try:
        connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
        for name, value in handler.headers.items():
            if name.lower() not in HOP_HEADERS and name.lower() != "expect":
                connection.putheader(name, value)
        connection.putheader("Connection", "close")
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        if chunked:
            _send_chunks(handler, connection)
        else:
            _send_length(handler, connection, handler.body_length())
        _answer(handler, connection.getresponse())
    finally:
        connection.close()


def _send_length(handler: FrontHandler, connection: http.client.HTTPConnection, length: int) -> None:
    while length > 0:
        data = handler.rfile.read1(min(length, _PIECE))
        if not data:
            raise ConnectionResetError("the client stopped in the middle of its body")
        connection.send(data)
        length -= len(data)


def _send_chunks(handler: FrontHandler, connection: http.client.HTTPConnection) -> None:
    while True:
        line = handler.rfile.readline(1000)
        size = int(line.split(b";")[0], 16)
        connection.send(line)
        left = size + 2  # the data and its line end
        while left > 0 and (data := handler.rfile.read(min(left, _PIECE))):
            connection.send(data)
            left -= len(data)
        if size == 0:
            return


def _answer(handler: FrontHandler, response: http.client.HTTPResponse) -> None:
    length = response.headers.get("Content-Length")
    bodyless = handler.command == "HEAD" or response.status in (204, 304)
    handler.send_response_only(response.status, response.reason)
    for name, value in response.headers.items():
        if name.lower() not in HOP_HEADERS:
            handler.send_header(name, value)
    chunked = length is None and not bodyless
    if chunked:
        handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while not bodyless and (data := response.read1(_PIECE)):
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
    if chunked:
        handler.wfile.write(b"0\r\n\r\n")
