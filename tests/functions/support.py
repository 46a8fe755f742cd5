"""Pieces the tests of the functions share: the object AWS passes as context, an envelope, one shipment."""

import base64
import hashlib
import time
from typing import Any


class Clock:
    """A Lambda context with `seconds` left when it is made."""

    aws_request_id = "5f3c0f6e-0000-4000-8000-000000000001"

    def __init__(self, seconds: float = 60) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


def envelope(items: list[dict[str, Any]], context: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"version": 1, "batch": "b-1", "chunk": "c-1", "context": context or {}, "items": items, **more}


def content(binary: dict[str, Any]) -> bytes:
    """The bytes of an inline file, its length and digest checked."""
    found = base64.b64decode(binary["content_b64"], validate=True)
    assert len(found) == binary["bytes"]
    assert hashlib.sha256(found).hexdigest() == binary["sha256"]
    return found


def shipment(**more: Any) -> dict[str, Any]:
    parcels = [{"number": str(n + 1), "weight_kg": f"{n + 1}.25", "description": f"Carton {n + 1}"} for n in range(3)]
    base = {
        "tracking_number": "00340434161094042557",
        "carrier": "DHL Parcel DE",
        "reference": "PO-2026-118843",
        "sender": {
            "name": "Nordhafen GmbH",
            "street": "Kai 14",
            "postcode": "20457",
            "city": "Hamburg",
            "country": "DE",
        },
        "recipient": {
            "name": "Ibáñez S.L.",
            "street": "Calle 8",
            "postcode": "46014",
            "city": "Valencia",
            "country": "ES",
        },
        "parcels": parcels,
        "created": "2026-11-20T14:02:00+00:00",
        "promised": "2026-11-25",
        "notes": "Ramp 2",
    }
    return base | more
