"""Deliveries in the search box."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.slots import SearchHit, SearchProvider, search_providers
from shipments.documents.text_search import deliveries_with_text, documents_found
from shipments.listing.search import SHORTEST, search_shipments
from shipments.models import Shipment


def _search(text: str, user: Any, limit: int) -> Sequence[SearchHit]:
    by_text = deliveries_with_text(text) or () if len(text.strip()) >= SHORTEST else ()
    rows = search_shipments(Shipment.objects.select_related("carrier").order_by(), text, by_text)[:limit]
    return [
        SearchHit(
            row.tracking_number,
            reverse("shipment-detail", args=[row.pk]),
            _("delivery"),
            f"{row.carrier} {row.customer}",
        )
        for row in rows
    ]


def _documents(text: str, user: Any, limit: int) -> Sequence[SearchHit]:
    """By what stands in them, or by their name."""
    if len(text.strip()) < SHORTEST:
        return []
    return [
        SearchHit(
            row.name,
            reverse("document-detail", args=[row.pk]),
            _("document"),
            f"{row.get_type_display()} {row.shipment.tracking_number if row.shipment else ''}",
        )
        for row in documents_found(text, limit)
    ]


search_providers.register(
    SearchProvider(kind=_("Deliveries"), search=_search, order=10),
    SearchProvider(kind=_("Documents"), search=_documents, order=15),
)
