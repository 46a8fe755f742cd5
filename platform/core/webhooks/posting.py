"""One POST: to the address that was checked, no redirects, nothing for longer than 20 seconds, a little of the answer."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from dataclasses import dataclass

from core.webhooks.addresses import BadAddressError, Target, resolve, target_of

CONNECT_S = 5
TOTAL_S = 20
READ_BYTES = 16_384
EXCERPT = 500
LONGEST_WAIT_S = 3_600


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is None when there was no answer; `error` then, or for another status than 2xx, says why."""

    status: int | None
    duration_ms: float
    excerpt: str = ""
    error: str = ""
    retry_after_s: int = 0

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Never raises for what the other side does, or is."""
    begun = time.monotonic()
    try:
        target = target_of(url)
        status, said, answered = _exchange(target, resolve(target), body, headers)
    except BadAddressError as error:
        return Answer(None, _since(begun), error=str(error))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(None, _since(begun), error=_words(error, begun))
    error_text = "" if 200 <= status < 300 else f"answered {status}"
    if 300 <= status < 400:
        error_text += "; redirects are not followed"
    return Answer(status, _since(begun), said, error_text, _wait(answered.get("Retry-After", "")))


def _since(begun: float) -> float:
    return round((time.monotonic() - begun) * 1000, 1)


def _words(error: Exception, begun: float) -> str:
    if isinstance(error, TimeoutError) or time.monotonic() - begun >= TOTAL_S:
        return "no answer in time"
    return f"{type(error).__name__}: {error}"[:300]


def _wait(text: str) -> int:
    return min(int(text), LONGEST_WAIT_S) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _exchange(
    target: Target, address: str, body: bytes, headers: dict[str, str]
) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection(target.host, target.port, timeout=CONNECT_S)
    line = [socket.create_connection((address, target.port), timeout=CONNECT_S)]
    # Each read has a time-out; all together too, against an answer that drips. The connection forgets its socket once
    # the other side announces the end, so it is kept here.
    alarm = threading.Timer(TOTAL_S, _hang_up, [line])
    alarm.daemon = True
    alarm.start()
    try:
        if target.tls:
            context = ssl.create_default_context()
            wrapped = context.wrap_socket(line[0], server_hostname=target.host, do_handshake_on_connect=False)
            line[0] = wrapped
            wrapped.do_handshake()
        line[0].settimeout(TOTAL_S)
        connection.sock = line[0]
        connection.request("POST", target.path, body, {"Host": target.host_header, **headers})
        answer = connection.getresponse()
        said = answer.read(READ_BYTES).decode("utf-8", "replace").replace("\0", "\ufffd")
        return answer.status, said[:EXCERPT], answer.headers
    finally:
        alarm.cancel()
        connection.close()
        line[0].close()


def _hang_up(line: list[socket.socket]) -> None:
    with contextlib.suppress(OSError):  # over already
        line[0].shutdown(socket.SHUT_RDWR)
