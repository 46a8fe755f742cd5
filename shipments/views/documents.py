"""The list of documents, and their files."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_safe

from core.aws.documents import DocumentStorage
from core.aws.errors import AwsError
from core.errors import RefusedError
from core.templatetags.core_tags import moment
from shipments.choices import DocumentState
from shipments.documents.previews import MOST_PAGES, page_key, thumbnail_key
from shipments.filters import chips_of
from shipments.listing.documents import ListedDocuments
from shipments.models import Document

LINK_S = 60


class StoreAwayError(RefusedError):
    """The file is kept, and cannot be read now."""

    code = "document_store"
    status = 503


SHOWN_INLINE = frozenset({"application/pdf", "image/png", "image/jpeg"})


@login_required
@require_safe
def document_list(request: HttpRequest) -> HttpResponse:
    """As a table, or with `?layout=grid` as small pictures."""
    listed = ListedDocuments.of(request.GET)
    page, valid = listed.page.linked(request), listed.filters.is_valid()
    rows = [{"document": row, "snippet": listed.snippets.get(row.pk, "")} for row in page.rows]
    context = {
        "listed": listed,
        "filters": listed.filters,
        "fields": [field for field in listed.filters.form if field.name != "shipment"],  # an id, of links only
        "page": page,
        "rows": rows,
        "chips": chips_of(listed.filters),
        "clear_url": "?",
        "searched_to": moment(page.searched_to) if page.searched_to else "",
        "grid": request.GET.get("layout") == "grid",
        "selection": listed.selection() if rows else "",
        "many": bool(request.GET.get("q")) and valid and not listed.ranked,
    }
    return render(request, "shipments/document_list.html", context, status=200 if valid else 400)


@login_required
@require_safe
@xframe_options_sameorigin
def document_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The original bytes: shown, or with `?download` saved. What is in quarantine is only saved, by operators, knowingly."""
    document = get_object_or_404(Document, pk=pk)
    try:
        check_access(document, request)
        download = "download" in request.GET
        if download and (url := signed_link(document)):
            return HttpResponseRedirect(url)
        return file_response(document, download=download)
    except StoreAwayError as error:
        context = {"status": error.status, "title": _("Not readable now"), "message": error.message}
        return render(request, "dashboard/error.html", context, status=error.status)


def check_access(document: Document, request: HttpRequest) -> None:
    """Raises PermissionDenied when this person may not have the bytes of it."""
    if document.state != DocumentState.STORED and not request.user.has_perm("core.operate"):
        words = _("This document is not released (%(why)s). Operators can save it; ask one of them.")
        raise PermissionDenied(words % {"why": document.problem or document.get_state_display()})


def signed_link(document: Document) -> str:
    """An address of S3 that gives the bytes for a minute; empty where files come through us."""
    if not settings.DOCUMENT_LINKS or not isinstance(default_storage, DocumentStorage):
        return ""
    return default_storage.download_url(str(document.file.name), filename=document.name, seconds=LINK_S)


def file_response(document: Document, *, download: bool) -> FileResponse:
    """The original bytes. Whatever a carrier put into a file, it cannot act as a page of ours."""
    try:
        stream = document.file.open("rb")
    except FileNotFoundError as error:
        raise Http404("The file of this document is not in the document store. Fetch or render it again.") from error
    except AwsError as error:
        raise StoreAwayError(f"The document store cannot be reached. Try again in a minute. ({error})") from error
    shown = document.content_type in SHOWN_INLINE and document.state == DocumentState.STORED
    content_type = document.content_type if shown else "application/octet-stream"
    response = FileResponse(
        stream, as_attachment=download or not shown, filename=document.name, content_type=content_type
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    )
    response["Cache-Control"] = "private, max-age=3600"
    return response


@login_required
@require_GET
def document_picture(request: HttpRequest, pk: int, page: int) -> HttpResponseBase:
    """A page as a picture, drawn by a worker before; page 0 is the small one."""
    document = get_object_or_404(Document, pk=pk, state=DocumentState.STORED)
    if page > MOST_PAGES:
        raise Http404
    key = page_key(document.sha256, page) if page else thumbnail_key(document.sha256)
    try:
        stream = default_storage.open(key)
    except FileNotFoundError as error:
        raise Http404(_("There is no picture of this page yet.")) from error
    except AwsError as error:
        raise Http404(str(error)) from error
    response = FileResponse(stream, content_type="image/webp")
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response
