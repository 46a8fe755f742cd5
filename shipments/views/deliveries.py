"""The list of deliveries and the page of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

from core.htmx import is_fragment
from shipments import timeline
from shipments.deliveries.missing import Missing
from shipments.deliveries.page import deeds_on, documents_of, facts_of
from shipments.listing.asked import Asked
from shipments.listing.page import asked_by, context_of
from shipments.models import Shipment
from shipments.reasons import reason_labels


@dataclass(frozen=True, slots=True)
class Draft:
    """A note that could not be kept: what was written, and why. `note` is None for a new one."""

    text: str = ""
    problem: str = ""
    note: int | None = None


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
    return detail_page(request, shipment_of(pk), timeline.Asked.of(request.GET))


@login_required
@require_GET
def shipment_timeline(request: HttpRequest, pk: int) -> HttpResponse:
    """The timeline alone, for htmx; without script its links lead to the page."""
    asked = timeline.Asked.of(request.GET)
    if not is_fragment(request):
        return redirect(page_url(pk, asked))
    return timeline_part(request, shipment_of(pk), asked)


def shipment_of(pk: int) -> Shipment:
    """Raises Http404."""
    return get_object_or_404(Shipment.objects.select_related("carrier"), pk=pk)


def page_url(pk: int, asked: timeline.Asked, anchor: str = "timeline") -> str:
    return f"{reverse('shipment-detail', args=[pk])}{asked.query}#{anchor}"


def detail_page(
    request: HttpRequest, shipment: Shipment, asked: timeline.Asked, *, draft: Draft | None = None, status: int = 200
) -> HttpResponse:
    documents = documents_of(shipment)
    context = {
        **timeline_context(request, shipment, asked, draft),
        **facts_of(shipment),
        "documents": documents,
        "missing_panel": missing_panel(request, shipment, documents.missing),
        "deeds": deeds_on(shipment, documents.missing),
        "reason_label": reason_labels().get(shipment.reason, shipment.reason) if shipment.reason else "",
        **_came_from(request, shipment, asked.came_from),
    }
    return render(request, "shipments/shipment_detail.html", context, status=status)


def timeline_part(
    request: HttpRequest, shipment: Shipment, asked: timeline.Asked, *, draft: Draft | None = None, status: int = 200
) -> HttpResponse:
    """The part that the page includes, with the address that shows the same."""
    context = timeline_context(request, shipment, asked, draft)
    response = render(request, "shipments/_timeline.html", context, status=status)
    response["HX-Push-Url"] = page_url(shipment.pk, asked).partition("#")[0]
    return response


def timeline_context(
    request: HttpRequest, shipment: Shipment, asked: timeline.Asked, draft: Draft | None
) -> dict[str, Any]:
    return {
        "shipment": shipment,
        "timeline": timeline.timeline_of(shipment, asked, request.user),
        "draft": draft or Draft(),
    }


def missing_panel(request: HttpRequest, shipment: Shipment, missing: Missing) -> SafeString:
    """The panel of what is missing, whole: the one place where it is made."""
    context = {"shipment": shipment, "missing": missing}
    return mark_safe(render_to_string("shipments/_missing.html", context, request))  # noqa: S308  # our own template


def _came_from(request: HttpRequest, shipment: Shipment, address: str | None) -> dict[str, str]:
    """Addresses of the list the person came from and of the rows before and after this one in it."""
    if address is None:
        return {}
    before, after = Asked.of(QueryDict(address)).neighbours(shipment)

    def leads(pk: int | None) -> str:
        return f"{reverse('shipment-detail', args=[pk])}?from={quote(address)}" if pk else ""

    return {"list_query": address, "before_url": leads(before), "after_url": leads(after)}
