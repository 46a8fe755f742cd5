"""The numbers of the home page's panels with the addresses they lead to, and how many rows are behind those."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from shipments.models import Shipment, TrackingEvent
from tests.shipments.finding import carrier, walked

PANELS = ("late", "silent", "to-sort-out", "exceptions", "today")
_LINK = re.compile(r"<a ([^>]*)>(.*?)</a>", re.DOTALL)


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


def delivery(number: str, *, code: str = "acme", **values: Any) -> Shipment:
    """Ordered ten days ago and heard of an hour ago, unless said otherwise."""
    usual: dict[str, Any] = {"created": ago(days=10), "updated": ago(days=9), "last_event": ago(hours=1)}
    return Shipment.objects.create(carrier=carrier(code), tracking_number=number, **usual | values)


def attempt(shipment: Shipment, at: datetime) -> None:
    TrackingEvent.objects.create(
        shipment=shipment, at=at, received=at, code="NH", text=str(at), status="delivery_failed"
    )


def numbers(client: Any, panel: str) -> dict[str, int]:
    """Every number of a panel by the address it leads to."""
    answer = client.get(f"/deliveries/home/{panel}/")
    assert answer.status_code == 200
    found = {}
    for attributes, inside in _LINK.findall(answer.content.decode()):
        count = re.search(r'data-count="(\d+)"', attributes + inside)
        address = re.search(r'href="([^"]+)"', attributes)
        if count and address:
            found[html.unescape(address[1])] = int(count[1])
    return found


def length(client: Any, address: str) -> int:
    """How many rows the list at an address has, over all its pages."""
    path, _mark, query = address.partition("?")
    if path == "/deliveries/":
        return len(walked(client, query))
    context = client.get(address).context
    return len(context["page"].rows)
