"""Carriers that send their own shape: one pure function each, from their JSON to events in ours.

To add one, write a module beside this one with such a function, register it here under the carrier's code, and keep a
body of theirs beside its test. A carrier without an entry sends our envelope (see `parsing`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shipments.events.parsing import Adapter


def parcel_history(found: Any) -> list[dict[str, Any]]:
    """An example: one parcel with its whole history, times in milliseconds since 1970.

    {"parcel": {"barcode": "…"}, "history": [{"when": 1763900000000, "state": "DLV", "note": "…", "depot": {"town": "…"}}]}
    """
    number = found["parcel"]["barcode"]
    return [
        {
            "tracking_number": number,
            "at": datetime.fromtimestamp(entry["when"] / 1000, UTC).isoformat(),
            "code": entry.get("state"),
            "text": entry.get("note"),
            "place": (entry.get("depot") or {}).get("town"),
        }
        for entry in found["history"]
    ]


_ADAPTERS: dict[str, Adapter] = {"parcel-history-example": parcel_history}


def adapter_of(carrier_code: str) -> Adapter | None:
    """None: this carrier sends our own envelope."""
    return _ADAPTERS.get(carrier_code)
