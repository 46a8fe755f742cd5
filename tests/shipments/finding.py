"""Deliveries to find, and what a list shows of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from shipments.models import Carrier, Shipment

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def carrier(code: str = "acme") -> Carrier:
    return Carrier.objects.get_or_create(code=code, defaults={"name": code.title()})[0]


def deliveries(count: int, *, code: str = "acme", first: int = 0, **values: Any) -> list[Shipment]:
    """One a minute, numbered, the last the newest."""
    defaults: dict[str, Any] = {"customer": "Olmo", "destination_country": "ES", "recipient": {"city": "Madrid"}}
    owner = carrier(code)
    return Shipment.objects.bulk_create(
        Shipment(
            **{
                "carrier": owner, "tracking_number": f"{code.upper()}{first + place:05d}",
                "created": NOON + timedelta(minutes=first + place), "updated": NOON + timedelta(minutes=first + place),
            } | defaults | values
        )
        for place in range(count)
    )  # fmt: skip


def shown(client: Any, query: str = "") -> list[str]:
    """Tracking numbers of the page at `/deliveries/?query`."""
    return [row.tracking_number for row in client.get(f"/deliveries/?{query}").context["page"].rows]


def walked(client: Any, query: str = "") -> list[str]:
    """Tracking numbers of all pages, following "next"."""
    found, address = [], f"/deliveries/?{query}"
    while address:
        page = client.get(address).context["page"]
        found += [row.tracking_number for row in page.rows]
        address = page.next_link
    return found
