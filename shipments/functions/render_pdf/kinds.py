"""The documents there are, what each cannot be printed without, and how it is written as PDF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipments.functions.render_pdf.shipment import Parcel, Shipment
from shipments.functions.runtime.errors import ItemError

ARCHIVE: dict[str, Any] = {"pdf_variant": "pdf/a-3u", "pdf_tags": True}
"""Kept for years: fonts and colours inside, text that can be searched, structure for screen readers."""
SHORT_LIVED: dict[str, Any] = {}
SHOWN_FIELDS = 8


@dataclass(frozen=True)
class Kind:
    """One type of document. Fields that paper allows to be filled in by hand are not in `required`."""

    slug: str
    required: tuple[str, ...] = ()
    """Of the shipment, as `sender.city`."""
    of_each_parcel: tuple[str, ...] = ()
    """Of every parcel; then there must be one."""
    pdf: tuple[tuple[str, Any], ...] = tuple(ARCHIVE.items())


KINDS = {
    kind.slug: kind
    for kind in (
        Kind("delivery_note"),
        # Convention art. 6.1 b to h; charges, instructions and signatures are filled in by hand.
        Kind(
            "cmr_waybill",
            ("carrier", "sender.name", "sender.city", "sender.country", "recipient.name", "recipient.city", "recipient.country"),
            ("description", "weight_kg"),
        ),
        # What customs turns an invoice back without.
        Kind(
            "commercial_invoice",
            ("sender.name", "sender.city", "sender.country", "recipient.name", "recipient.city", "recipient.country"),
            ("description", "value", "currency", "hs_code", "origin"),
        ),
        Kind("packing_list", ("recipient.name",), ("description",)),
        Kind("label", ("recipient.name", "recipient.city", "recipient.country"), pdf=tuple(SHORT_LIVED.items())),
        Kind("manifest", pdf=(("pdf_variant", "pdf/a-3u"),)),
    )
}  # fmt: skip


def kind_of(document_type: str) -> Kind:
    """Raises ItemError("UnknownDocumentType")."""
    try:
        return KINDS[document_type]
    except KeyError:
        known = ", ".join(sorted(KINDS))
        raise ItemError("UnknownDocumentType", f"no template for {document_type!r}; there is: {known}") from None


def check_complete(kind: Kind, shipment: Shipment) -> None:
    """Raises ItemError("MissingData") that names every field the document cannot be without."""
    missing = [path for path in kind.required if not _value(shipment, path)]
    if kind.of_each_parcel and not shipment.parcels:
        missing.append("parcels")
    for at, parcel in enumerate(shipment.parcels):
        missing += [f"parcels[{at}].{name}" for name in kind.of_each_parcel if getattr(parcel, name) in (None, "")]
    if missing:
        more = f" and {len(missing) - SHOWN_FIELDS} more" if len(missing) > SHOWN_FIELDS else ""
        what = kind.slug.replace("_", " ")
        raise ItemError("MissingData", f"the {what} needs {', '.join(missing[:SHOWN_FIELDS])}{more}")
    currencies = sorted({parcel.currency for parcel in shipment.parcels if parcel.currency})
    if "currency" in kind.of_each_parcel and len(currencies) > 1:
        raise ItemError("BadData", f"values in {', '.join(currencies)}: an invoice has one currency")


def _value(shipment: Shipment, path: str) -> Any:
    value: Any = shipment
    for name in path.split("."):
        value = getattr(value, name)
    return value


CMR_LINES = 8


def cmr_lines(parcels: list[Parcel], most: int = CMR_LINES) -> tuple[list[dict[str, Any]], int]:
    """Boxes 6 to 12: equal goods on one line; (lines, how many packages found no line)."""
    lines: dict[tuple[str, ...], dict[str, Any]] = {}
    for parcel in parcels:
        key = (parcel.packaging, parcel.description, parcel.hs_code, parcel.dangerous)
        line = lines.setdefault(key, {"parcel": parcel, "numbers": [], "kg": 0, "m3": 0})
        line["numbers"].append(parcel.number)
        line["kg"] += parcel.weight_kg or 0
        line["m3"] += parcel.volume_m3 or 0
    shown = list(lines.values())
    kept = shown if len(shown) <= most else shown[: most - 1]
    return kept, sum(len(line["numbers"]) for line in shown[len(kept) :])
