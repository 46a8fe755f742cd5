"""The list of documents, and their files."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from core.aws.errors import AwsError
from core.errors import RefusedError
from shipments.filters import DocumentFilter
from shipments.models import Document
from shipments.views.lists import render_list


class StoreAwayError(RefusedError):
    """The file is kept, and cannot be read now."""

    code = "document_store"
    status = 503


SHOWN_INLINE = frozenset({"application/pdf", "image/png", "image/jpeg"})


@login_required
@require_safe
def document_list(request: HttpRequest) -> HttpResponse:
    rows = Document.objects.select_related("shipment", "carrier")
    return render_list(request, rows, DocumentFilter, "shipments/document_list.html", order=["-created", "-id"])


@login_required
@require_safe
@xframe_options_sameorigin
def document_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    try:
        return file_response(get_object_or_404(Document, pk=pk), download="download" in request.GET)
    except StoreAwayError as error:
        context = {"status": error.status, "title": _("Not readable now"), "message": error.message}
        return render(request, "dashboard/error.html", context, status=error.status)


def file_response(document: Document, *, download: bool) -> FileResponse:
    """The original bytes. Whatever a carrier put into a file, it cannot act as a page of ours."""
    try:
        stream = document.file.open("rb")
    except FileNotFoundError as error:
        raise Http404("The file of this document is not in the document store. Fetch or render it again.") from error
    except AwsError as error:
        raise StoreAwayError(f"The document store cannot be reached. Try again in a minute. ({error})") from error
    inline = not download and document.content_type in SHOWN_INLINE
    content_type = document.content_type if document.content_type in SHOWN_INLINE else "application/octet-stream"
    response = FileResponse(stream, as_attachment=not inline, filename=document.name, content_type=content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    )
    response["Cache-Control"] = "private, max-age=3600"
    return response
