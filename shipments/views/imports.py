"""Imports: the list, the page of one (first what its columns mean, then how far it is), and what can be done with it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from core.access import operator_required
from core.aws.errors import AwsError
from core.errors import RefusedError
from core.htmx import is_fragment, vary_on_fragment
from core.pagination import KeysetPage
from shipments.choices import ImportState
from shipments.deliveries import runs
from shipments.deliveries.reading import UnreadableFileError
from shipments.deliveries.sample_of import Sample, propose
from shipments.models import ImportRun
from shipments.views.documents import StoreAwayError
from shipments.views.import_page import MappingForm, head_context, live_context, preview_context, tone_of


@login_required
@require_GET
def import_list(request: HttpRequest) -> HttpResponse:
    page = KeysetPage.of(ImportRun.objects.all(), order=["-created", "-id"], request=request)
    rows = [{"run": run, "tone": tone_of(run)} for run in page.rows]
    return render(request, "shipments/import_list.html", {"page": page, "rows": rows})


@login_required
@require_GET
def import_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    run = get_object_or_404(ImportRun, pk=pk)
    if run.state == ImportState.WAITING and request.user.has_perm("core.operate"):
        return _preview(request, run)
    fragment = is_fragment(request)
    template = "shipments/_import_live.html" if fragment else "shipments/import_detail.html"
    return vary_on_fragment(render(request, template, live_context(run)))


def _preview(request: HttpRequest, run: ImportRun) -> HttpResponse:
    sample = _sample_of(run)
    if sample is None:
        return _unreadable(request, run)
    proposal = propose(sample)
    form = MappingForm(sample, proposal.meanings)
    context = preview_context(run, sample, form, proposal.meanings) | head_context(run, sample, proposal)
    return render(request, "shipments/import_preview.html", context)


def _sample_of(run: ImportRun) -> Sample | None:
    """None when the file cannot be read any more."""
    try:
        return runs.sample_of(run)
    except (UnreadableFileError, AwsError):
        return None


def _unreadable(request: HttpRequest, run: ImportRun) -> HttpResponse:
    problem = _("The file cannot be read now. Try again in a minute, or discard it and send it again.")
    return render(request, "shipments/import_detail.html", live_context(run) | {"unreadable": problem}, status=503)


@operator_required
@require_POST
def import_start(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the rows anew with what was chosen (`preview`), or begin."""
    run = get_object_or_404(ImportRun, pk=pk)
    if run.state != ImportState.WAITING:
        return redirect("import-detail", run.pk)
    sample = _sample_of(run)
    if sample is None:
        return _unreadable(request, run)
    proposal = propose(sample)
    form = MappingForm(sample, proposal.meanings, request.POST)
    form.is_valid()
    meanings = form.meanings()
    if "start" in request.POST and not form.errors:
        try:
            runs.start(run, sample, meanings, actor=request.user)
            return redirect("import-detail", run.pk)
        except RefusedError as error:
            form.add_error(None, error.message)
    context = preview_context(run, sample, form, meanings) | head_context(run, sample, proposal)
    template = "shipments/_import_preview.html" if is_fragment(request) else "shipments/import_preview.html"
    return vary_on_fragment(render(request, template, context, status=400 if form.errors else 200))


@operator_required
@require_POST
def import_retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    run = get_object_or_404(ImportRun, pk=pk)
    try:
        runs.retry(run, actor=request.user)
    except RefusedError as error:
        messages.error(request, error.message)
    return redirect("import-detail", pk)


@operator_required
@require_POST
def import_discard(request: HttpRequest, pk: UUID) -> HttpResponse:
    run = get_object_or_404(ImportRun, pk=pk)
    try:
        runs.discard(run, actor=request.user)
    except RefusedError as error:
        messages.error(request, error.message)
        return redirect("import-detail", pk)
    messages.success(request, _("The file was discarded; nothing was imported from it."))
    return redirect("import-list")


@operator_required
@require_safe
def import_refused(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    return refused_rows(get_object_or_404(ImportRun, pk=pk))


def refused_rows(run: ImportRun) -> FileResponse:
    """The file of refused rows. Raises Http404 when there is none, StoreAwayError when it cannot be fetched now."""
    if not run.error_file:
        raise Http404("No row of this import was refused.")
    name = str(run.error_file.name)
    try:
        stream = default_storage.open(name)
    except FileNotFoundError as error:
        raise Http404("This list of refused rows is no longer kept. Import the file again.") from error
    except AwsError as error:
        raise StoreAwayError(f"The document store cannot be reached. Try again in a minute. ({error})") from error
    ending = name.rpartition(".")[2]
    stem = run.name.removesuffix(".gz").rpartition(".")[0] or "rows"
    kind = "text/csv" if ending == "csv" else "application/x-ndjson"
    return FileResponse(
        stream, as_attachment=True, filename=f"{stem}-refused.{ending}", content_type=f"{kind}; charset=utf-8"
    )
