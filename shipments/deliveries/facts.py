"""What is stated of a delivery, put as people read it: parties, parcels and their sums. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

SHOWN_PARCELS = 50
SIDES = ("length_cm", "width_cm", "height_cm")


@dataclass(frozen=True, slots=True)
class Party:
    name: str
    lines: list[str]
    """Street; postcode and city; country. Those that are known."""

    @property
    def text(self) -> str:
        """As one writes it on a label, for copying."""
        return "\n".join(filter(None, [self.name, *self.lines]))


@dataclass(frozen=True, slots=True)
class Parcel:
    """`weight_kg` and `size` ("40 × 30 × 20") empty when not stated."""

    number: str
    weight_kg: str
    size: str
    description: str


@dataclass(frozen=True, slots=True)
class Parcels:
    """`kg` is the sum of what is stated, None when nothing is; `unweighed` parcels are not in it."""

    shown: list[Parcel]
    count: int
    kg: Decimal | None
    unweighed: int
    sized: bool

    @property
    def hidden(self) -> int:
        return self.count - len(self.shown)


def party_of(stated: Mapping[str, Any]) -> Party:
    city = " ".join(filter(None, (_text(stated.get("postcode")), _text(stated.get("city")))))
    lines = [_text(stated.get("street")), city, _text(stated.get("country"))]
    return Party(_text(stated.get("name")), [line for line in lines if line])


def parcels_of(stated: Iterable[Any]) -> Parcels:
    """The first 50 to show and the sums over all; what is no parcel is left out."""
    rows = [row for row in stated if isinstance(row, Mapping)]
    weights = [_decimal(row.get("weight_kg")) for row in rows]
    known = [weight for weight in weights if weight is not None]
    shown = [
        Parcel(_text(row.get("number")), _plain(weight), size_text(row), _text(row.get("description")))
        for row, weight in zip(rows[:SHOWN_PARCELS], weights, strict=False)
    ]
    return Parcels(
        shown=shown,
        count=len(rows),
        kg=sum(known, Decimal(0)) if known else None,
        unweighed=len(rows) - len(known),
        sized=any(parcel.size for parcel in shown),
    )


def size_text(parcel: Mapping[str, Any]) -> str:
    """`40 × 30 × 20`; a side that is not stated is a question mark, none stated is nothing."""
    sides = [_decimal(parcel.get(side)) for side in SIDES]
    if not any(sides):
        return ""
    return " × ".join(_plain(side) or "?" for side in sides)


def _decimal(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"


def _text(value: Any) -> str:
    return "" if value is None else str(value)
