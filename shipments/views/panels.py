"""Panels of the home page; each number links to exactly the list behind it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core.pagination import capped_count
from shipments.choices import TONES, Status
from shipments.filters import MessageFilter, ShipmentFilter, filtered
from shipments.models import CarrierMessage, Shipment

EXCEPTIONS = (
    Status.DELIVERY_FAILED, Status.DELIVERY_DELAYED, Status.ON_HOLD, Status.RETURN_TO_SENDER, Status.UNKNOWN,
)  # fmt: skip
CAP = 10_000


def _line(
    label: object, found: QuerySet[Shipment] | QuerySet[CarrierMessage], page: str, query: dict[str, str], tone: str
) -> dict[str, object]:
    count, more = capped_count(found, CAP)
    return {"label": label, "count": count, "more": more, "tone": tone, "url": f"{reverse(page)}?{urlencode(query)}"}


def _shipments(label: object, tone: str, **query: str) -> dict[str, object]:
    return _line(label, filtered(ShipmentFilter, Shipment.objects.all(), query), "shipment-list", query, tone)


def _messages(label: object, tone: str, **query: str) -> dict[str, object]:
    return _line(label, filtered(MessageFilter, CarrierMessage.objects.all(), query), "message-list", query, tone)


@login_required
@require_GET
def exceptions(request: HttpRequest) -> HttpResponse:
    lines = [_shipments(status.label, TONES[status], status=status.value) for status in EXCEPTIONS]
    return render(request, "shipments/_panel.html", {"lines": lines})


@login_required
@require_GET
def missing(request: HttpRequest) -> HttpResponse:
    lines = [
        _shipments("delivered without proof of delivery", "yellow", status="delivered", missing="proof_of_delivery")
    ]
    return render(request, "shipments/_panel.html", {"lines": lines})


@login_required
@require_GET
def review(request: HttpRequest) -> HttpResponse:
    lines = [
        _messages("not classified yet", "blue", unclassified="true"),
        _messages("classified, not applied", "yellow", review="true"),
    ]
    return render(request, "shipments/_panel.html", {"lines": lines})
