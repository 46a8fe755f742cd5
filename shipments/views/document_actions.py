"""What people do with one document; each is one service of `shipments.documents.changes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.access import View, operator_required, permission_needed
from core.errors import RefusedError
from shipments.documents import changes
from shipments.models import Document, Shipment

release_allowed: Callable[[View[Any]], View[Any]] = permission_needed(
    "shipments.release_document",
    lambda: _("Releasing documents from quarantine needs a permission of its own. Ask an administrator."),
)


def _done(request: HttpRequest, pk: int, change: Callable[[Document], object], said: str) -> HttpResponse:
    """Make the change, or say why not; back to the page of the document."""
    document = get_object_or_404(Document, pk=pk)
    try:
        change(document)
    except RefusedError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, said)
    return redirect("document-detail", pk)


@release_allowed
@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    reason = request.POST.get("reason", "")
    said = _("Released. It counts like any other document now.")
    return _done(request, pk, lambda row: changes.release(row, actor=request.user, reason=reason), said)


@operator_required
@require_POST
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    reason = request.POST.get("reason", "")
    said = _("Rejected. The same file stays rejected when it comes again.")
    return _done(request, pk, lambda row: changes.reject(row, actor=request.user, reason=reason), said)


@operator_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    said = format_html("{} {}", _("Deleted."), _("It can be taken back here for 30 days; then its file is removed."))
    return _done(request, pk, lambda row: changes.delete(row, actor=request.user), said)


@operator_required
@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    return _done(request, pk, lambda row: changes.restore(row, actor=request.user), _("Taken back."))


@operator_required
@require_POST
def hold(request: HttpRequest, pk: int) -> HttpResponse:
    held, reason = request.POST.get("held") == "1", request.POST.get("reason", "")
    said = _("Held: retention will not delete it.") if held else _("The hold is lifted.")
    return _done(request, pk, lambda row: changes.hold(row, actor=request.user, held=held, reason=reason), said)


@operator_required
@require_POST
def change_type(request: HttpRequest, pk: int) -> HttpResponse:
    type = request.POST.get("type", "")
    return _done(
        request, pk, lambda row: changes.change_type(row, actor=request.user, type=type), _("The type is changed.")
    )


@operator_required
@require_POST
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """To the delivery of this tracking number; of this carrier where several have it."""
    number = request.POST.get("number", "")

    def change(document: Document) -> None:
        changes.attach(document, delivery_called(number, document), actor=request.user)

    response = _done(request, pk, change, _("Attached to %(number)s.") % {"number": number.strip().upper()})
    back = request.POST.get("back", "")
    return redirect(reverse("document-review")) if back == "review" else response


def delivery_called(text: str, document: Document) -> Shipment:
    """The one delivery with this tracking number, within the document's carrier first.

    Raises:
        RefusedError: there is none, or several carriers have it.
    """
    number = text.strip().replace("\0", "")
    rows = list(Shipment.objects.filter(tracking_number__in={number, number.upper()}).select_related("carrier")[:10])
    own = [row for row in rows if row.carrier_id == document.carrier_id]
    rows = own or rows
    if len(rows) == 1:
        return rows[0]
    if not rows:
        words = _("No delivery has the tracking number “%(number)s”.") % {"number": number[:40]}
        raise RefusedError(words, code="unknown_number")
    carriers = ", ".join(row.carrier.name for row in rows)
    words = _("Several carriers have this number (%(carriers)s). Open the delivery and use its document.")
    raise RefusedError(words % {"carriers": carriers}, code="several")
