"""The local door: ``GET /_local/state`` and ``POST /_local/fault``, for tests and drills. AWS has no such thing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from embedded.aws.errors import ApiError
from embedded.aws.faults import fault_of
from embedded.aws.upstream import Answer

if TYPE_CHECKING:
    from embedded.aws.front import FrontHandler
    from embedded.aws.service import Service

_BODY_LIMIT = 100_000


def answer(service: Service, handler: FrontHandler) -> Answer:
    """Answer a request under ``/_local/``."""
    asked = (handler.command, handler.path)
    body = handler.read_body(_BODY_LIMIT)
    if asked == ("GET", "/_local/state"):
        return _json(service.state())
    if asked == ("POST", "/_local/fault"):
        return _json(_set_fault(service, handler, body))
    raise ApiError(404, "ResourceNotFoundException", "There are GET /_local/state and POST /_local/fault")


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
