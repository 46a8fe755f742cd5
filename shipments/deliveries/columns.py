"""Columns of an import: their spellings and what each may hold. Pure: no database."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.text import slugify

from shipments.choices import Status

PARTY = ("name", "street", "postcode", "city", "country", "phone", "vat", "eori")
COLUMNS = (
    "carrier", "tracking_number", "reference", "customer", "status",
    *(f"sender_{part}" for part in PARTY), *(f"recipient_{part}" for part in PARTY),
    "weight_kg", "description", "parcels", "created", "promised", "delivered", "incoterm", "notes",
)  # fmt: skip
ALIASES = {
    "carrier_code": "carrier", "carrier_name": "carrier", "shipper": "carrier", "transportista": "carrier",
    "tracking": "tracking_number", "tracking_no": "tracking_number", "tracking_code": "tracking_number",
    "trackingnumber": "tracking_number", "awb": "tracking_number", "waybill": "tracking_number",
    "consignment": "tracking_number", "shipment_number": "tracking_number", "numero_de_seguimiento": "tracking_number",
    "order": "reference", "order_number": "reference", "order_id": "reference", "ref": "reference", "pedido": "reference",
    "client": "customer", "customer_name": "customer", "cliente": "customer", "state": "status", "estado": "status",
    "weight": "weight_kg", "kg": "weight_kg", "peso": "weight_kg", "content": "description", "contents": "description",
    "created_at": "created", "order_date": "created", "date": "created", "fecha": "created",
    "promised_at": "promised", "due": "promised", "eta": "promised", "estimated_delivery": "promised",
    "delivered_at": "delivered", "delivery_date": "delivered", "comment": "notes", "comments": "notes", "note": "notes",
    "to_name": "recipient_name", "to_street": "recipient_street", "to_postcode": "recipient_postcode",
    "to_city": "recipient_city", "to_country": "recipient_country", "recipient_zip": "recipient_postcode",
    "recipient_address": "recipient_street", "recipient_postal_code": "recipient_postcode", "consignee": "recipient_name",
    "from_name": "sender_name", "from_street": "sender_street", "from_postcode": "sender_postcode",
    "from_city": "sender_city", "from_country": "sender_country", "sender_zip": "sender_postcode",
    "sender_address": "sender_street", "sender_postal_code": "sender_postcode", "country": "recipient_country",
    "postcode": "recipient_postcode", "zip": "recipient_postcode", "city": "recipient_city",
    "recipient": "recipient_name", "sender": "sender_name", "incoterms": "incoterm", "delivery_terms": "incoterm",
    "terms_of_delivery": "incoterm", "lieferbedingung": "incoterm", "condiciones_de_entrega": "incoterm",
}  # fmt: skip
LENGTHS = {"tracking_number": 40, "reference": 60, "customer": 120, "notes": 4_000, "description": 300}
PARTY_LENGTH = 300
MOST_PARCELS = 500
HEAVIEST_KG = Decimal(1_000_000)
SIDES_CM, LONGEST_CM = ("length_cm", "width_cm", "height_cm"), Decimal(10_000)
LARGEST_AMOUNT = Decimal(1_000_000_000)
YEARS = range(2000, 2101)
STATUSES = frozenset(Status.values)
DATES = frozenset({"created", "promised", "delivered"})
PARCEL_PARTS = frozenset({"parcels", "weight_kg", "description"})
NAMES = frozenset(COLUMNS) - PARCEL_PARTS
STATUS_WORDS = {
    "transit": "in_transit", "intransit": "in_transit", "shipped": "in_transit", "created": "pending", "new": "pending",
    "delayed": "delivery_delayed", "failed": "delivery_failed", "exception": "delivery_failed", "returned": "return_to_sender",
    "returning_to_sender": "return_to_sender", "return": "return_to_sender", "canceled": "cancelled", "collected": "picked_up",
    "ready_for_pick_up": "ready_for_pickup", "hold": "on_hold",
}  # fmt: skip
INCOTERMS = frozenset(
    ["EXW", "FCA", "FAS", "FOB", "CFR", "CIF", "CPT", "CIP", "DAP", "DPU", "DDP", "DAT", "DAF", "DES", "DEQ", "DDU"]
)
"""Those of 2020, and those of 2000 and 2010 that contracts still name."""
COUNTRY_WORDS = {
    "spain": "ES", "españa": "ES", "esp": "ES", "france": "FR", "fra": "FR", "germany": "DE", "deutschland": "DE",
    "deu": "DE", "italy": "IT", "italia": "IT", "ita": "IT", "portugal": "PT", "prt": "PT", "poland": "PL",
    "polska": "PL", "pol": "PL", "united kingdom": "GB", "uk": "GB", "gbr": "GB",
}  # fmt: skip
DAY_FIRST = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
SCIENTIFIC = re.compile(r"\d[.,]?\d*[eE]\+\d+")


class Problem(NamedTuple):
    """Why a row is refused: the field (empty: the whole row), the reason in words, and a code that never changes."""

    field: str
    why: str
    code: str


class BadValueError(ValueError):
    """A value that cannot be taken; `code` is stable, the message is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class CleanRow:
    """A row as the database takes it. Only what was stated is in `values`; an empty cell states nothing."""

    carrier_code: str = ""
    carrier_name: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        return self.carrier_code, self.values["tracking_number"]


def repaired(text: str) -> str:
    """Text whose undecodable bytes (kept as surrogates) are taken for Windows-1252. Raises UnicodeError for others."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("cp1252")
    return text


def column_of(heading: str) -> str | None:
    """Our name of a column, None for one we do not know."""
    name = re.sub(r"[^0-9a-z]+", "_", slugify(heading.replace("_", " ").replace("/", " "))).strip("_")
    return name if name in COLUMNS else ALIASES.get(name)


def clean(raw: Mapping[str, Any]) -> CleanRow:
    """Check one row; all its problems at once, each with its field."""
    row = CleanRow()
    values = _flatten(raw)
    for name in ("carrier", "tracking_number"):
        if not _given(values.get(name)):
            row.problems.append(Problem(name, "is empty; every delivery needs one", "missing"))
    for name, value in values.items():
        if name in NAMES and _given(value):
            _take(row, name, value)
    try:
        parcels = _parcels(values)
    except BadValueError as error:
        name = "parcels" if _given(values.get("parcels")) else "weight_kg"
        row.problems.append(Problem(name, str(error), error.code))
    else:
        if parcels is not None:
            row.values["parcels"] = parcels
    return row


def _flatten(raw: Mapping[str, Any]) -> dict[str, Any]:
    """NDJSON may nest the parties: {"sender": {"name": …}}."""
    flat: dict[str, Any] = {}
    for name, value in raw.items():
        if name in {"sender_name", "recipient_name", "sender", "recipient"} and isinstance(value, Mapping):
            side = name.partition("_")[0]
            flat.update({column_of(f"{side}_{part}") or f"{side}_{part}": content for part, content in value.items()})
        else:
            flat[name] = value
    return flat


def _given(value: Any) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _take(row: CleanRow, name: str, value: Any) -> None:
    try:
        text = _text(value)
        if name == "carrier":
            row.carrier_code, row.carrier_name = _carrier(text)
        elif name == "status":
            row.values[name] = _status(text)
        elif name in DATES:
            row.values[name] = _moment(text)
        elif name == "incoterm":
            row.values[name] = _incoterm(text)
        elif name.startswith(("sender_", "recipient_")):
            side, part = name.split("_", 1)
            content = _country(text) if part == "country" else _short(text, PARTY_LENGTH)
            row.values.setdefault(side, {})[part] = content
        else:
            row.values[name] = _number(text) if name == "tracking_number" else _short(text, LENGTHS[name])
    except BadValueError as error:
        row.problems.append(Problem(name, str(error), error.code))


def _text(value: Any) -> str:
    """Text of a cell. Bytes that are no UTF-8 are taken for Windows-1252, what spreadsheets write."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadValueError("not_text", f"must be text, not {type(value).__name__}")
    try:
        text = repaired(str(value)).strip()
    except UnicodeError as error:
        raise BadValueError(
            "unreadable", "holds bytes that are neither UTF-8 nor Windows-1252; save the file as UTF-8"
        ) from error
    if "\0" in text or "\ufffd" in text:
        raise BadValueError("unreadable", "holds unreadable characters; save the file as UTF-8")
    return text


def _short(text: str, longest: int) -> str:
    if len(text) > longest:
        raise BadValueError("too_long", f"has {len(text)} characters; at most {longest} fit")
    return text


def _number(text: str) -> str:
    if SCIENTIFIC.fullmatch(text):
        raise BadValueError(
            "rounded", f"{text} was rounded by a spreadsheet; format the column as text and export again"
        )
    if not text.isprintable():
        raise BadValueError("control_characters", "holds control characters or line breaks")
    return _short(text, LENGTHS["tracking_number"])


@lru_cache(maxsize=2_000)
def _carrier(text: str) -> tuple[str, str]:
    code = slugify(text)
    if not code or len(code) > 40:
        raise BadValueError("bad_carrier", f"“{text[:60]}” makes no carrier code; use letters and digits, at most 40")
    return code, _short(text, 100)


def _status(text: str) -> str:
    word = re.sub(r"[\s-]+", "_", text.lower())
    word = STATUS_WORDS.get(word, word)
    if word not in STATUSES:
        raise BadValueError("unknown_status", f"“{text[:40]}” is not a status; known ones: {', '.join(Status.values)}")
    return word


@lru_cache(maxsize=2_000)
def _country(text: str) -> str:
    code = COUNTRY_WORDS.get(text.lower(), text.upper())
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise BadValueError("bad_country", f"“{text[:40]}” is not a two-letter country code like ES")
    return code


def _incoterm(text: str) -> str:
    """`DAP`, also with the named place behind it, as in `DAP Lyon`."""
    term = text[:3].upper()
    if term not in INCOTERMS or text[3:4].isalpha():
        raise BadValueError("bad_incoterm", f"“{text[:40]}” is not an Incoterm like DAP")
    return term


def _moment(text: str) -> datetime:
    """ISO 8601, or day first with dots or slashes; UTC when no zone is stated."""
    try:
        if match := DAY_FIRST.fullmatch(text):
            day, month, year, hour, minute, second = (int(part or 0) for part in match.groups())
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadValueError(
            "bad_date", f"“{text[:40]}” is not a date like 2026-11-23 or 2026-11-23T14:30:00Z or 23.11.2026"
        ) from error
    if moment.year not in YEARS:
        raise BadValueError("bad_date", f"the year {moment.year} cannot be right")
    return moment


def _weight(value: Any) -> str:
    """Kilograms as plain decimal text; a decimal comma is accepted."""
    text = str(value).strip().lower().removesuffix("kg").strip()
    try:
        weight = Decimal(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except InvalidOperation as error:
        raise BadValueError("bad_weight", f"“{text[:40]}” is not a weight in kg like 2.5") from error
    if not weight.is_finite() or not 0 <= weight <= HEAVIEST_KG:
        raise BadValueError("bad_weight", f"{text[:40]} kg cannot be right (0 to {HEAVIEST_KG:,})")
    return f"{weight.normalize():f}"


def _side(name: str, value: Any) -> str:
    """Centimetres as plain decimal text; a decimal comma is accepted."""
    text = str(value).strip().lower().removesuffix("cm").strip()
    try:
        side = Decimal(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except InvalidOperation as error:
        raise BadValueError("bad_size", f"{name} “{text[:40]}” is not a length in cm like 40") from error
    if not side.is_finite() or not 0 < side <= LONGEST_CM:
        raise BadValueError("bad_size", f"{name} {text[:40]} cm cannot be right (up to {LONGEST_CM:,})")
    return f"{side.normalize():f}"


def _parcels(values: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The parcels stated, as a list or by weight and description of the one there is; None when nothing is stated."""
    stated = values.get("parcels")
    if not _given(stated):
        if not _given(values.get("weight_kg")) and not _given(values.get("description")):
            return None
        stated = [{"weight_kg": values.get("weight_kg"), "description": values.get("description")}]
    elif isinstance(stated, str):
        try:
            stated = json.loads(_text(stated))
        except (ValueError, RecursionError) as error:
            raise BadValueError(
                "bad_parcels", 'is not JSON like [{"number": "1", "weight_kg": 2.5, "description": "books"}]'
            ) from error
    if not isinstance(stated, list) or not all(isinstance(parcel, Mapping) for parcel in stated):
        raise BadValueError(
            "bad_parcels", "must be a list of {number, weight_kg, description, length_cm, width_cm, height_cm}"
        )
    if len(stated) > MOST_PARCELS:
        raise BadValueError("too_many_parcels", f"has {len(stated)} parcels; at most {MOST_PARCELS}")
    return [_parcel(place, parcel) for place, parcel in enumerate(stated, 1)]


def _parcel(place: int, parcel: Mapping[str, Any]) -> dict[str, Any]:
    """Number, weight and description always; what documents want besides (`GOODS`) only where it is stated."""
    weight, text = parcel.get("weight_kg"), parcel.get("description")
    goods = {name: take(parcel[name]) for name, take in GOODS.items() if _given(parcel.get(name))}
    return goods | {
        "number": _short(_text(parcel.get("number") or place), 40),
        "weight_kg": _weight(weight) if _given(weight) else None,
        "description": _short(_text(text), LENGTHS["description"]) if _given(text) else "",
        # Only those stated: parcels without sizes stay as they were, so that the same file changes nothing.
        **{name: _side(name, parcel[name]) for name in SIDES_CM if _given(parcel.get(name))},
    }


def _amount(value: Any) -> str:
    """A number of at least zero as plain decimal text; a decimal comma is accepted."""
    text = _text(value).replace(",", ".")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= LARGEST_AMOUNT:
        raise BadValueError("bad_amount", f"“{text[:40]}” is not an amount like 12.50")
    return format(amount, "f")


def _currency(value: Any) -> str:
    code = _text(value).upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise BadValueError("bad_currency", f"“{code[:40]}” is not a three-letter currency code like EUR")
    return code


def _hs_code(value: Any) -> str:
    code = re.sub(r"[\s.]", "", _text(value))
    if not re.fullmatch(r"\d{6,10}", code):
        raise BadValueError("bad_hs_code", f"“{code[:40]}” is not a commodity code of 6 to 10 digits")
    return code


def _goods_text(value: Any) -> str:
    return _short(_text(value), PARTY_LENGTH)


GOODS: dict[str, Callable[[Any], str]] = {
    "quantity": _amount, "volume_m3": _amount, "value": _amount, "currency": _currency, "hs_code": _hs_code,
    "origin": lambda value: _country(_text(value)), "packaging": _goods_text, "dangerous": _goods_text,
}  # fmt: skip
"""Of a parcel: `value` is that of all its pieces, `origin` a country, `dangerous` the UN number, class and packing group."""
