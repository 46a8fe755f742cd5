"""A delivery that changed, and how."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moved:
    """A delivery that was written, with (status, reason) before and after."""

    shipment_id: int
    before: tuple[str, str]
    after: tuple[str, str]
