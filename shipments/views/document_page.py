"""The page of one document: pictures of its pages, facts, versions, where else the same bytes are, and what can be done."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from core.audit import target_of
from core.htmx import vary_on_fragment
from core.models import AuditEntry
from shipments.choices import TONES, DocumentState, DocumentType, Extraction
from shipments.documents import previews
from shipments.models import Document, DocumentText

SHOWN = 20
TEXT_SHOWN = 20_000
POLL_S = 2


@login_required
@require_GET
def document_detail(request: HttpRequest, pk: int) -> HttpResponse:
    document = get_object_or_404(Document.objects.select_related("shipment", "carrier", "batch"), pk=pk)
    read = DocumentText.objects.filter(document=document).defer("search", "numbers").first()
    context = {
        "document": document,
        "types": DocumentType.choices,
        "read": read,
        "text": read.text[:TEXT_SHOWN] if read else "",
        "text_cut": bool(read and (read.cut or len(read.text) > TEXT_SHOWN)),
        "extraction_tone": TONES.get(document.extraction, "secondary"),
        "history": AuditEntry.objects.filter(target=target_of(document))[:SHOWN],
        **_kin(document),
        **_may(request, document),
        **preview_context(document),
    }
    return render(request, "shipments/document_detail.html", context)


def _kin(document: Document) -> dict[str, Any]:
    """Other versions, and other places with the same bytes."""
    same = Document.objects.present().filter(sha256=document.sha256).exclude(pk=document.pk).select_related("shipment")
    versions = Document.objects.none()
    if document.shipment_id:
        versions = Document.objects.filter(
            shipment=document.shipment_id, type=document.type, name=document.name
        ).exclude(state=DocumentState.DELETED)
    return {"versions": list(versions.order_by("-version", "-pk")[:SHOWN]), "same": list(same[:SHOWN])}


def _may(request: HttpRequest, document: Document) -> dict[str, bool]:
    """What this person can do with it now."""
    operate, state = request.user.has_perm("core.operate"), document.state
    return {
        "operate": operate,
        "may_release": state in (DocumentState.QUARANTINED, DocumentState.REJECTED)
        and request.user.has_perm("shipments.release_document"),
        "may_reject": operate and state == DocumentState.QUARANTINED,
        "may_delete": operate and state != DocumentState.DELETED and not document.held,
        "may_restore": operate and state == DocumentState.DELETED,
        "is_stored": state == DocumentState.STORED,
        "may_save": state == DocumentState.STORED or operate,
    }


def preview_context(document: Document) -> dict[str, Any]:
    """Pictures that are there; those that lack are asked for, and the fragment comes back until they are made."""
    wanted, ready = previews.shown_pages(document), previews.ready_pages(document)
    failed = previews.has_failed(document) or document.extraction == Extraction.FAILED
    drawing = len(ready) < wanted and not failed
    if drawing:
        previews.request_pages(document)
    return {
        "document": document, "ready": ready, "drawing": drawing, "wanted": wanted, "poll_s": POLL_S,
        "undrawn": wanted and failed and not ready, "more_pages": (document.pages or 0) > previews.MOST_PAGES,
    }  # fmt: skip


@login_required
@require_GET
def document_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The fragment with the pictures."""
    document = get_object_or_404(Document, pk=pk)
    return vary_on_fragment(render(request, "shipments/_document_preview.html", preview_context(document)))
