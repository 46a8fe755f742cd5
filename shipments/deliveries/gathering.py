"""Rows on their way to the database, with distinct keys: a repeated delivery is merged, the later row wins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from shipments.deliveries.columns import CleanRow

Key = tuple[str, str]
PARTIES = ("sender", "recipient")


@dataclass(slots=True)
class Gathered:
    """`rows`: by (carrier code, tracking number), the place where it stood first and what is to be written."""

    rows: dict[Key, tuple[int, CleanRow]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, place: int, row: CleanRow) -> tuple[int, Literal["updated", "unchanged"]] | None:
        """None for a new key; else where it stood first, and what this row does to the earlier one."""
        earlier = self.rows.get(row.key)
        if earlier is None:
            self.rows[row.key] = (place, row)
            return None
        first, known = earlier
        merged = _merged(known.values, row.values)
        said: Literal["updated", "unchanged"] = "unchanged" if merged == known.values else "updated"
        row.values = merged
        self.rows[row.key] = (first, row)
        return first, said

    def names(self) -> dict[str, str]:
        """Carrier names by code."""
        return {row.carrier_code: row.carrier_name for _place, row in self.rows.values()}

    def values(self) -> list[tuple[str, dict[str, Any]]]:
        """What `upsert` takes."""
        return [(row.carrier_code, row.values) for _place, row in self.rows.values()]


def _merged(known: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    merged = {**known, **new}
    for side in PARTIES:
        if side in merged:
            merged[side] = {**known.get(side, {}), **new.get(side, {})}
    return merged
