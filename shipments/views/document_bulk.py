"""What is done with many chosen documents: one ZIP, or one PDF to print."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.aws.errors import AwsError
from core.errors import RefusedError
from core.htmx import is_fragment, vary_on_fragment
from core.zip_stream import zip_response
from services_registry.capabilities import SelectionError
from shipments.choices import TONES, PrintState
from shipments.documents import archive, printing
from shipments.documents.selecting import chosen_ids
from shipments.models import PrintJob

POLL_S = 1


def _refused(request: HttpRequest, error: RefusedError) -> HttpResponse:
    context = {"status": 400, "title": _("Not done"), "message": error.message}
    return render(request, "dashboard/error.html", context, status=400)


@login_required
@require_POST
def documents_zip(request: HttpRequest) -> HttpResponseBase:
    """The chosen documents as a download that starts at once."""
    try:
        ids = chosen_ids(request.POST, most=archive.MOST)
    except SelectionError as error:
        return _refused(request, error)
    return zip_response(f"documents-{timezone.localdate():%Y-%m-%d}.zip", archive.archive_entries(ids))


@login_required
@require_POST
def documents_print(request: HttpRequest) -> HttpResponse:
    """Begin to put them together; the next page shows how far it is."""
    try:
        job = printing.request_print(chosen_ids(request.POST, most=archive.MOST), actor=request.user)
    except RefusedError as error:
        return _refused(request, error)
    return redirect("document-print", job.pk)


@login_required
@require_GET
def print_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    job = get_object_or_404(PrintJob, pk=pk)
    context = {
        "job": job, "tone": TONES.get(job.state, "secondary"), "poll_s": POLL_S,
        "final": job.state in (PrintState.DONE, PrintState.FAILED), "there": bool(job.file),
    }  # fmt: skip
    template = "shipments/_print_live.html" if is_fragment(request) else "shipments/print_detail.html"
    return vary_on_fragment(render(request, template, context))


@login_required
@require_GET
def print_file(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The PDF, shown by the browser so that it can be printed at once."""
    return print_response(get_object_or_404(PrintJob, pk=pk))


def print_response(job: PrintJob) -> FileResponse:
    """Raises Http404 when it is not made yet, or not kept any more."""
    try:
        stream = default_storage.open(str(job.file.name)) if job.file else None
    except (FileNotFoundError, AwsError):
        stream = None
    if stream is None:
        raise Http404(_("This print is not kept any more. Choose the documents again."))
    response = FileResponse(stream, content_type="application/pdf", filename=f"documents-{job.created:%Y-%m-%d}.pdf")
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
