"""The data of one shipment, checked and bounded before any of it is laid out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from shipments.functions.runtime.errors import ItemError

MOST_PARCELS = 500
"""A 480-row table takes seconds to lay out and the cost is linear (measured 2026-11-23: 5 to 7 ms a row)."""
LONGEST_TEXT, LONGEST_NOTES = 300, 4_000
LARGEST = Decimal(1_000_000_000)
HEAVIEST_KG = Decimal(1_000_000)


@dataclass(frozen=True)
class Party:
    """Sender or recipient. `country` is a two-letter code, or whatever was stated."""

    name: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    vat: str = ""
    eori: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Parcel:
    """One package with its goods. `value` is that of all its pieces together, in `currency`."""

    number: str
    description: str = ""
    weight_kg: Decimal | None = None
    volume_m3: Decimal | None = None
    packaging: str = ""
    quantity: Decimal = Decimal(1)
    hs_code: str = ""
    value: Decimal | None = None
    currency: str = ""
    origin: str = ""
    dangerous: str = ""

    @property
    def unit_value(self) -> Decimal | None:
        """Of one piece."""
        return None if self.value is None else self.value / self.quantity


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
    shipped: str = ""
    incoterm: str = ""
    export_reason: str = ""

    @property
    def total_kg(self) -> Decimal | None:
        """Sum of the known weights; None when no parcel states one."""
        return _sum(parcel.weight_kg for parcel in self.parcels)

    @property
    def total_m3(self) -> Decimal | None:
        return _sum(parcel.volume_m3 for parcel in self.parcels)

    @property
    def total_value(self) -> Decimal | None:
        return _sum(parcel.value for parcel in self.parcels)

    @property
    def currency(self) -> str:
        """That of the goods; documents with values are refused when there are several."""
        return next((parcel.currency for parcel in self.parcels if parcel.currency), "")


@dataclass(frozen=True)
class Row:
    """One delivery of a manifest."""

    tracking_number: str
    reference: str
    recipient: Party
    parcels: int
    weight_kg: Decimal | None


@dataclass(frozen=True)
class ManifestData:
    number: str
    carrier: str
    created: str
    sender: Party
    rows: list[Row]

    @property
    def total_kg(self) -> Decimal | None:
        return _sum(row.weight_kg for row in self.rows)

    @property
    def total_parcels(self) -> int:
        return sum(row.parcels for row in self.rows)


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
    options = _object(fields.get("options") or {}, "data.options")
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
        shipped=_text(fields, "shipped"),
        incoterm=_text(options, "incoterm"),
        export_reason=_text(options, "export_reason"),
    )


def parse_manifest(data: object, most: int) -> ManifestData:
    """The manifest in `data`: {number, carrier, created, sender, rows}; raises ItemError like `parse_shipment`."""
    fields = _object(data, "data")
    rows = fields.get("rows")
    if not isinstance(rows, list) or not rows:
        raise ItemError("BadData", "data.rows must be a list of at least one delivery")
    if len(rows) > most:
        raise ItemError("TooLarge", f"{len(rows)} deliveries on one manifest; at most {most} are printed")
    return ManifestData(
        number=_text(fields, "number"),
        carrier=_text(fields, "carrier"),
        created=_text(fields, "created"),
        sender=_party(fields.get("sender"), "data.sender"),
        rows=[_row(row, f"data.rows[{at}]") for at, row in enumerate(rows)],
    )


def _row(value: object, where: str) -> Row:
    fields = _object(value, where)
    parcels = _decimal(fields.get("parcels"), f"{where}.parcels", Decimal(MOST_PARCELS)) or Decimal(0)
    return Row(
        _text(fields, "tracking_number"), _text(fields, "reference"), _party(fields.get("recipient"), f"{where}.recipient"),
        int(parcels), _decimal(fields.get("weight_kg"), f"{where}.weight_kg", HEAVIEST_KG, "a weight in kilograms"),
    )  # fmt: skip


def _party(value: object, where: str) -> Party:
    fields = _object(value or {}, where)
    return Party(**{name: _text(fields, name) for name in Party.__dataclass_fields__})


def _parcel(value: object, at: int) -> Parcel:
    where = f"data.parcels[{at}]"
    fields = _object(value, where)
    return Parcel(
        number=_text(fields, "number") or str(at + 1),
        description=_text(fields, "description"),
        weight_kg=_decimal(fields.get("weight_kg"), f"{where}.weight_kg", HEAVIEST_KG, "a weight in kilograms"),
        volume_m3=_decimal(fields.get("volume_m3"), f"{where}.volume_m3", HEAVIEST_KG, "a volume in cubic metres"),
        packaging=_text(fields, "packaging"),
        quantity=_decimal(fields.get("quantity"), f"{where}.quantity", LARGEST) or Decimal(1),
        hs_code=_text(fields, "hs_code"),
        value=_decimal(fields.get("value"), f"{where}.value", LARGEST, "an amount"),
        currency=_text(fields, "currency", 3).upper(),
        origin=_text(fields, "origin"),
        dangerous=_text(fields, "dangerous"),
    )


def _decimal(value: object, where: str, most: Decimal, noun: str = "a number") -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite() or not 0 <= number <= most:
        raise ItemError("BadData", f"{where} must be {noun}, not {str(value)[:40]!r}")
    return number


def _sum(values: Any) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None


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
