"""The list of deliveries and the page of one."""

from __future__ import annotations

from urllib.parse import quote

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from shipments.deliveries.timeline import timeline_of
from shipments.listing.asked import Asked
from shipments.listing.page import asked_by, context_of
from shipments.models import Shipment


@login_required
@require_GET
def shipment_list(request: HttpRequest) -> HttpResponse:
    """Rows that match the address; see `shipments.listing`."""
    asked = asked_by(request)
    status = 200 if asked.valid else 400
    return render(request, "shipments/shipment_list.html", context_of(request, asked), status=status)


@login_required
@require_GET
def shipment_detail(request: HttpRequest, pk: int) -> HttpResponse:
    shipment = get_object_or_404(Shipment.objects.select_related("carrier"), pk=pk)
    messages = list(shipment.messages.all()[:100])
    context = {
        "shipment": shipment,
        "timeline": timeline_of(shipment, messages),
        "documents": shipment.documents.all()[:50],
        "messages_of": messages,
        **_came_from(request, shipment),
    }
    return render(request, "shipments/shipment_detail.html", context)


def _came_from(request: HttpRequest, shipment: Shipment) -> dict[str, str]:
    """Addresses of the list the person came from and of the rows before and after this one in it."""
    if "from" not in request.GET:
        return {}
    address = request.GET["from"]
    before, after = Asked.of(QueryDict(address)).neighbours(shipment)

    def leads(pk: int | None) -> str:
        return f"{reverse('shipment-detail', args=[pk])}?from={quote(address)}" if pk else ""

    return {"list_query": address, "before_url": leads(before), "after_url": leads(after)}
