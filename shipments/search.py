"""Deliveries in the search box."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.slots import SearchHit, SearchProvider, search_providers
from shipments.listing.search import search_shipments
from shipments.models import Shipment


def _search(text: str, user: Any, limit: int) -> Sequence[SearchHit]:
    rows = search_shipments(Shipment.objects.select_related("carrier").order_by(), text)[:limit]
    return [
        SearchHit(
            row.tracking_number,
            reverse("shipment-detail", args=[row.pk]),
            _("delivery"),
            f"{row.carrier} {row.customer}",
        )
        for row in rows
    ]


search_providers.register(SearchProvider(kind=_("Deliveries"), search=_search, order=10))
