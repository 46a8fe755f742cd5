"""The local door: ``GET /_local/state`` and ``POST /_local/fault``, for tests and drills. AWS has no such thing."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from embedded.aws.errors import ApiError, invalid
from embedded.aws.upstream import Answer

if TYPE_CHECKING:
    from embedded.aws.service import Service

MODES = ("none", "throttle", "down")


class Faults:
    """What goes wrong on purpose at the moment: throttle (429 for every invocation) or down (connections dropped)."""

    def __init__(self) -> None:
        self._mode = "none"
        self._until = 0.0

    def set(self, mode: str, seconds: float) -> None:
        """Be in a mode for some seconds."""
        self._mode, self._until = mode, time.monotonic() + seconds

    def mode(self) -> str:
        """The mode now."""
        return self._mode if time.monotonic() < self._until else "none"


def answer(service: Service, method: str, path: str, body: bytes) -> Answer:
    """Answer a request under ``/_local/``."""
    if (method, path) == ("GET", "/_local/state"):
        return _json(service.state())
    if (method, path) == ("POST", "/_local/fault"):
        return _json(_set_fault(service.faults, body))
    raise ApiError(404, "ResourceNotFoundException", "There are GET /_local/state and POST /_local/fault")


def _set_fault(faults: Faults, body: bytes) -> dict[str, Any]:
    try:
        wish = json.loads(body)
        mode, seconds = wish["mode"], float(wish.get("seconds", 0))
    except (ValueError, TypeError, KeyError, AttributeError):
        mode, seconds = "", 0.0
    if mode not in MODES or not 0 <= seconds <= 3600:
        raise invalid('Send {"mode": "throttle" | "down" | "none", "seconds": 0..3600}')
    faults.set(mode, seconds)
    return {"mode": faults.mode(), "seconds": seconds}


def _json(members: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(members).encode(), {"Content-Type": "application/json"})
