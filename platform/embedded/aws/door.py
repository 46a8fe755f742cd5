"""The local door: ``GET /_local/state`` and ``POST /_local/fault``, for tests and drills. AWS has no such thing.

``GET /_local/code/…`` gives a deployment package, where AWS gives a signed address in its own bucket.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from embedded.aws.errors import ApiError
from embedded.aws.faults import fault_of
from embedded.aws.upstream import Answer

if TYPE_CHECKING:
    from embedded.aws.front import FrontHandler
    from embedded.aws.service import Service

_BODY_LIMIT = 100_000
_CODE = "/_local/code/"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def answer(service: Service, handler: FrontHandler) -> Answer:
    """Answer a request under ``/_local/``."""
    asked = (handler.command, handler.path)
    body = handler.read_body(_BODY_LIMIT)
    if asked == ("GET", "/_local/state"):
        return _json(service.state())
    if asked == ("POST", "/_local/fault"):
        return _json(_set_fault(service, handler, body))
    if handler.command == "GET" and handler.path.startswith(_CODE):
        return _package(service, handler.path.removeprefix(_CODE), handler.headers.get("Range") or "")
    raise ApiError(404, "ResourceNotFoundException", "There are GET /_local/state and POST /_local/fault")


def _package(service: Service, name: str, wanted: str) -> Answer:
    """A stored zip, or the range of it that was asked for."""
    path = service.code.zip(name)
    if path is None:
        raise ApiError(404, "NoSuchKey", "The specified key does not exist.")
    body, asked = path.read_bytes(), _RANGE.fullmatch(wanted)
    if asked is None:
        return Answer(200, body, {"Content-Type": "application/zip"})
    begin, end = int(asked[1]), min(int(asked[2] or len(body) - 1), len(body) - 1)
    if begin > end:
        raise ApiError(416, "InvalidRange", "The requested range is not satisfiable")
    said = {"Content-Type": "application/zip", "Content-Range": f"bytes {begin}-{end}/{len(body)}"}
    return Answer(206, body[begin : end + 1], said)


def _set_fault(service: Service, handler: FrontHandler, body: bytes) -> dict[str, Any]:
    """Set it, and answer only once it is in force."""
    try:
        wish = json.loads(body)
    except ValueError:
        wish = None
    fault = fault_of(wish)
    service.faults.set(fault)
    handler.close_connection = True  # so that none of the door's is left open behind a closed port
    handler.server.open_or_close(spare=handler.connection)
    return fault.shown()


def _json(members: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(members).encode(), {"Content-Type": "application/json"})
