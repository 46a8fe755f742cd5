"""Deliveries from a file chosen in the browser, and the refused rows to correct and send again."""

from __future__ import annotations

import io
import uuid

from django import forms
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from core.access import operator_required
from shipments.deliveries.importer import ErrorFile, Refused, UnreadableFileError, import_shipments

SHOWN = 200


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("File"), help_text=_("CSV or NDJSON, also packed with gzip. Bad rows are listed, good ones kept.")
    )


@operator_required
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "shipments/upload.html", {"form": form}, status=400 if form.is_bound else 200)
    text = io.StringIO()
    error_file = ErrorFile(text)
    shown: list[Refused] = []

    def report(refused: Refused) -> None:
        error_file.add(refused)
        if len(shown) < SHOWN:
            shown.append(refused)

    file = form.cleaned_data["file"]
    try:
        result = import_shipments(file, name=file.name, on_refused=report, actor=request.user, source="page")
    except UnreadableFileError as error:
        form.add_error("file", str(error))
        return render(request, "shipments/upload.html", {"form": form}, status=400)
    name = uuid.uuid4() if result.refused else None
    if name:
        default_storage.save(_place(name), ContentFile(text.getvalue().encode()))
    return render(
        request, "shipments/upload.html", {"form": UploadForm(), "result": result, "refused": shown, "errors": name}
    )


@operator_required
@require_GET
def errors(request: HttpRequest, name: uuid.UUID) -> FileResponse:
    if not default_storage.exists(_place(name)):
        raise Http404("This list of refused rows is no longer kept. Import the file again.")
    stream = default_storage.open(_place(name))
    return FileResponse(stream, as_attachment=True, filename="refused-rows.csv", content_type="text/csv; charset=utf-8")


def _place(name: uuid.UUID) -> str:
    return f"import-errors/{name}.csv"
