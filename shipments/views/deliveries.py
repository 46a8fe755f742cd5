"""The list of deliveries and the page of one."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from shipments.deliveries.timeline import timeline_of
from shipments.filters import ShipmentFilter, search_is_short
from shipments.models import Shipment
from shipments.views.lists import render_list


@login_required
@require_GET
def shipment_list(request: HttpRequest) -> HttpResponse:
    rows = Shipment.objects.select_related("carrier").defer("sender", "parcels", "notes")
    extra = {"short_search": search_is_short(request.GET.get("q", ""))}
    return render_list(
        request, rows, ShipmentFilter, "shipments/shipment_list.html", order=["-created", "-id"], extra=extra
    )


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
    }
    return render(request, "shipments/shipment_detail.html", context)
