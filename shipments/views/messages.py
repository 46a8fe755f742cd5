"""The list of carrier messages."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from shipments.filters import MessageFilter
from shipments.models import CarrierMessage
from shipments.views.lists import render_list


@login_required
@require_GET
def message_list(request: HttpRequest) -> HttpResponse:
    rows = CarrierMessage.objects.select_related("carrier", "shipment")
    return render_list(request, rows, MessageFilter, "shipments/message_list.html", order=["-received", "-id"])
