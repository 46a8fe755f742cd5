"""Manifests: one item is what one carrier is handed over, at most 1,000 deliveries of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from services_registry.capabilities import ItemRef
from shipments.documents.making import manifest_row
from shipments.listing.search import with_ids
from shipments.models import Shipment

MOST_ROWS = 1_000
PREVIEW_ROWS = 40
PREFIX = "manifest-"


def is_manifest(key: str) -> bool:
    """Keys are `manifest-<carrier's id>-<part, from 1>`."""
    return key.startswith(PREFIX)


def carrier_of(key: str) -> int:
    return int(key.removeprefix(PREFIX).partition("-")[0])


def items_of(deliveries: Iterable[ItemRef]) -> list[ItemRef]:
    """One manifest for each carrier, several where there are too many deliveries for one."""
    counts: dict[int, int] = {}
    names: dict[int, str] = {}
    ids = [int(item.key) for item in deliveries]
    for carrier, name in with_ids(Shipment.objects.order_by(), ids).values_list("carrier", "carrier__name"):
        counts[carrier] = counts.get(carrier, 0) + 1
        names[carrier] = name
    return [
        ItemRef(
            f"{PREFIX}{carrier}-{part}", _("manifest %(carrier)s %(part)s") % {"carrier": names[carrier], "part": part}
        )
        for carrier in sorted(counts, key=lambda pk: names[pk])
        for part in range(1, -(-counts[carrier] // MOST_ROWS) + 1)
    ]


def payloads_of(keys: Sequence[str], ids: Sequence[int]) -> dict[str, dict[str, Any]]:
    """The manifests with these keys, of the deliveries that were selected."""
    return {key: made for key in keys if (made := _payload(key, ids))}


def _payload(key: str, ids: Sequence[int]) -> dict[str, Any] | None:
    carrier, part = carrier_of(key), int(key.rpartition("-")[2])
    rows = with_ids(Shipment.objects.select_related("carrier").filter(carrier=carrier).order_by("pk"), ids)
    page = list(rows[(part - 1) * MOST_ROWS : part * MOST_ROWS])
    if not page:
        return None
    number = f"M{timezone.localdate():%y%m%d}-{carrier}-{part}"
    return {"filename": f"manifest-{page[0].carrier.code}-{number}.pdf", "html": None, "data": _data(number, page)}


def payload_of_one(shipment: Shipment) -> dict[str, Any]:
    """A manifest of the latest deliveries of a delivery's carrier, to try a template with."""
    rows = Shipment.objects.select_related("carrier").filter(carrier=shipment.carrier_id)
    return _data("M-PREVIEW", list(rows.order_by("-created", "-id")[:PREVIEW_ROWS]))


def _data(number: str, rows: list[Shipment]) -> dict[str, Any]:
    return {
        "number": number,
        "carrier": rows[0].carrier.name,
        "created": timezone.localdate().isoformat(),
        "sender": rows[0].sender,
        "rows": [manifest_row(row) for row in rows],
    }
