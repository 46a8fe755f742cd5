"""Carriers' connections: how they stand, what lies on their servers, and what people can do about both."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from core.access import operator_required
from core.errors import RefusedError
from core.pagination import KeysetPage
from shipments.choices import RemoteState
from shipments.connection_forms import PauseForm
from shipments.connections import control, sweeps
from shipments.models import CarrierConnection, RemoteFile
from shipments.views.connection_page import counts_of, file_row, file_rows, head_of

MOST_CHOSEN = 1_000


def _connection(pk: int) -> CarrierConnection:
    return get_object_or_404(CarrierConnection.objects.select_related("carrier"), pk=pk)


@login_required
@require_GET
def connection_list(request: HttpRequest) -> HttpResponse:
    rows = CarrierConnection.objects.select_related("carrier")
    return render(request, "shipments/connection_list.html", {"rows": [head_of(row) for row in rows]})


@login_required
@require_GET
def connection_detail(request: HttpRequest, pk: int) -> HttpResponse:
    connection = _connection(pk)
    chosen = request.GET.get("state", "")
    files = RemoteFile.objects.filter(connection=connection).select_related("shipment", "document")
    if chosen in RemoteState.values:
        files = files.filter(state=chosen)
    page = KeysetPage.of(files, order=["-first_seen", "-id"], request=request)
    context = head_of(connection) | {
        "page": page, "rows": file_rows(page), "counts": counts_of(connection, chosen), "pause_form": PauseForm(),
        "chosen": chosen,
    }  # fmt: skip
    return render(request, "shipments/connection_detail.html", context)


@login_required
@require_GET
def connection_file(request: HttpRequest, pk: int, file_id: int) -> HttpResponse:
    """One file and its history."""
    rows = RemoteFile.objects.select_related("shipment", "document", "connection__carrier")
    row = get_object_or_404(rows, pk=file_id, connection=pk)
    return render(request, "shipments/connection_file.html", {"connection": row.connection, **file_row(row)})


@operator_required
@require_POST
def connection_files(request: HttpRequest, pk: int) -> HttpResponse:
    """Try again, or release, the chosen files."""
    connection = _connection(pk)
    ids = [int(key) for key in request.POST.getlist("files")[:MOST_CHOSEN] if key.isascii() and key.isdigit()]
    act = control.release_files if "release" in request.POST else control.retry_files
    count = act(connection, ids, actor=request.user)
    if count:
        words = ngettext("%d file is fetched now.", "%d files are fetched now.", count)
        messages.success(request, words % count)
    else:
        messages.warning(request, _("None of the chosen files is in a state for that."))
    return redirect("connection-detail", pk)


@operator_required
@require_POST
def connection_sweep(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        batch = sweeps.sweep(_connection(pk), actor=request.user, source="page")
    except RefusedError as error:
        messages.error(request, error.message)
        return redirect("connection-detail", pk)
    return redirect("batch-detail", batch.pk)


@operator_required
@require_POST
def connection_pause(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        control.pause(_connection(pk), actor=request.user, reason=request.POST.get("reason", ""))
    except RefusedError as error:
        messages.error(request, error.message)
    return redirect("connection-detail", pk)


@operator_required
@require_POST
def connection_resume(request: HttpRequest, pk: int) -> HttpResponse:
    control.resume(_connection(pk), actor=request.user)
    messages.success(request, _("The connection is used again; it is looked at within a minute."))
    return redirect("connection-detail", pk)


@operator_required
@require_POST
def connection_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close the breaker by hand."""
    control.close_breaker(_connection(pk), actor=request.user)
    messages.success(request, _("The carrier is tried again; failures are counted from zero."))
    return redirect("connection-detail", pk)
