"""Deliveries as the function that prints documents takes them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from shipments.choices import Language
from shipments.functions.render_pdf.language import LANGUAGE_OF
from shipments.models import Shipment

RECIPIENT = "recipient"


def data_of(shipment: Shipment) -> dict[str, Any]:
    """A shipment as templates take it."""
    return {
        "tracking_number": shipment.tracking_number,
        "carrier": shipment.carrier.name,
        "reference": shipment.reference,
        "sender": shipment.sender,
        "recipient": shipment.recipient,
        "parcels": shipment.parcels,
        "created": shipment.created.date().isoformat(),
        "promised": shipment.promised.date().isoformat() if shipment.promised else "",
        "notes": shipment.notes,
    }


def manifest_row(shipment: Shipment) -> dict[str, Any]:
    """A shipment as a line of a manifest."""
    weights = [weight for parcel in shipment.parcels if (weight := _weight(parcel.get("weight_kg"))) is not None]
    return {
        "tracking_number": shipment.tracking_number,
        "reference": shipment.reference,
        "recipient": shipment.recipient,
        "parcels": max(1, len(shipment.parcels)),
        "weight_kg": str(sum(weights)) if weights else None,
    }


def language_of(options: Mapping[str, Any], country: str | None) -> str:
    """The language asked for; "recipient" means that of the recipient's country."""
    language = str(options.get("language") or Language.ENGLISH)
    return LANGUAGE_OF.get((country or "").upper(), "en") if language == RECIPIENT else language


def _weight(value: Any) -> Decimal | None:
    try:
        weight = Decimal(str(value))
    except InvalidOperation:
        return None
    return weight if weight.is_finite() and weight >= 0 else None
