"""Files whose delivery is not sure, one after the other: what was found, why, and a picture; a person decides."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.access import operator_required
from core.bounded import bounded_count
from core.errors import RefusedError
from shipments.choices import DocumentState, Matching
from shipments.documents import changes
from shipments.documents.matching import words_of
from shipments.models import Document
from shipments.views.document_actions import delivery_called
from shipments.views.document_page import preview_context


def _queue() -> QuerySet[Document]:
    return Document.objects.filter(matching=Matching.REVIEW, shipment__isnull=True, state=DocumentState.STORED)


@operator_required
@require_GET
def review(request: HttpRequest) -> HttpResponse:
    """The oldest that waits, or with `?after=` the next one."""
    asked = request.GET.get("after", "")
    after = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    waiting = _queue().order_by("pk")
    document = waiting.filter(pk__gt=after).select_related("carrier").first() or waiting.first()
    context: dict[str, Any] = {"count": bounded_count(_queue()), "document": document}
    if document is not None:
        context |= preview_context(document) | {"candidates": _candidates(document)}
    return render(request, "shipments/document_review.html", context)


def _candidates(document: Document) -> list[dict[str, Any]]:
    rows = document.candidates.select_related("shipment__carrier")
    return [
        {"row": row, "words": words_of(row.evidence), "key": str(place) if place < 10 else ""}
        for place, row in enumerate(rows, 1)
    ]


@operator_required
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """`shipment`: one of the candidates; `number`: another delivery; neither: it belongs to none."""
    document = get_object_or_404(Document, pk=pk)
    try:
        said = _decided(request, document)
    except RefusedError as refusal:
        messages.error(request, refusal.message)
        return redirect(f"{reverse('document-review')}?after={pk - 1}")
    messages.success(request, said)
    return redirect(f"{reverse('document-review')}?after={pk}")


def _decided(request: HttpRequest, document: Document) -> str:
    chosen, number = request.POST.get("shipment", ""), request.POST.get("number", "").strip()
    if chosen.isascii() and chosen.isdigit():
        candidate = get_object_or_404(document.candidates.select_related("shipment"), shipment=int(chosen[:18]))
        shipment, reason = candidate.shipment, words_of(candidate.evidence)
    elif number:
        shipment, reason = delivery_called(number, document), ""
    else:
        changes.belongs_to_none(document, actor=request.user)
        return _("%(name)s belongs to no delivery.") % {"name": document.name}
    changes.attach(document, shipment, actor=request.user, reason=reason)
    return _("%(name)s is attached to %(number)s.") % {"name": document.name, "number": shipment.tracking_number}
