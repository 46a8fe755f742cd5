"""The data of one shipment, checked and bounded before any of it is laid out."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from shipments.functions.runtime.errors import ItemError

MOST_PARCELS = 500
"""A 480-row table takes seconds to lay out and the cost is linear (measured 2026-11-23: 5 to 7 ms a row)."""
LONGEST_TEXT, LONGEST_NOTES = 300, 4_000
HEAVIEST_KG = Decimal(1_000_000)


@dataclass(frozen=True)
class Party:
    """Sender or recipient; `lines` is the address below the name, empty lines left out."""

    name: str
    lines: list[str]


@dataclass(frozen=True)
class Parcel:
    number: str
    weight_kg: Decimal | None
    description: str


@dataclass(frozen=True)
class Shipment:
    tracking_number: str
    carrier: str
    reference: str
    sender: Party
    recipient: Party
    parcels: list[Parcel]
    created: str
    promised: str
    notes: str

    @property
    def total_kg(self) -> Decimal | None:
        """Sum of the known weights; None when no parcel states one."""
        weights = [parcel.weight_kg for parcel in self.parcels if parcel.weight_kg is not None]
        return sum(weights, Decimal(0)) if weights else None


def parse_shipment(data: object) -> Shipment:
    """The shipment in `data`; raises ItemError("BadData") naming the field, ItemError("TooLarge") past a bound."""
    fields = _object(data, "data")
    tracking_number = _text(fields, "tracking_number")
    if not tracking_number:
        raise ItemError("BadData", "data.tracking_number is empty: a document needs one")
    parcels = fields.get("parcels") or []
    if not isinstance(parcels, list):
        raise ItemError("BadData", "data.parcels must be a list of {number, weight_kg, description}")
    if len(parcels) > MOST_PARCELS:
        raise ItemError("TooLarge", f"{len(parcels)} parcels on one document; at most {MOST_PARCELS} are printed")
    return Shipment(
        tracking_number=tracking_number,
        carrier=_text(fields, "carrier"),
        reference=_text(fields, "reference"),
        sender=_party(fields.get("sender"), "data.sender"),
        recipient=_party(fields.get("recipient"), "data.recipient"),
        parcels=[_parcel(parcel, at) for at, parcel in enumerate(parcels)],
        created=_text(fields, "created"),
        promised=_text(fields, "promised"),
        notes=_text(fields, "notes", LONGEST_NOTES),
    )


def _party(value: object, where: str) -> Party:
    fields = _object(value or {}, where)
    name, street, country = (_text(fields, key) for key in ("name", "street", "country"))
    town = " ".join(part for part in (_text(fields, "postcode"), _text(fields, "city")) if part)
    return Party(name, [line for line in (*street.splitlines(), town, country) if line.strip()])


def _parcel(value: object, at: int) -> Parcel:
    fields = _object(value, f"data.parcels[{at}]")
    number = _text(fields, "number") or str(at + 1)
    return Parcel(number, _weight(fields.get("weight_kg"), at), _text(fields, "description"))


def _weight(value: object, at: int) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        weight = Decimal(str(value))
    except InvalidOperation:
        weight = Decimal("NaN")
    if isinstance(value, bool) or not weight.is_finite() or not 0 <= weight <= HEAVIEST_KG:
        raise ItemError(
            "BadData", f"data.parcels[{at}].weight_kg must be a weight in kilograms, not {str(value)[:40]!r}"
        )
    return weight


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ItemError("BadData", f"{where} must be a JSON object")
    return value


def _text(fields: dict[str, Any], key: str, longest: int = LONGEST_TEXT) -> str:
    """The field as printable text; longer text is cut with an ellipsis, so that one field cannot fill pages."""
    value = fields.get(key)
    if value is None or isinstance(value, dict | list):
        return ""
    text = "".join(char for char in str(value).strip() if char == "\n" or char.isprintable())
    return text if len(text) <= longest else text[: longest - 1] + "…"
