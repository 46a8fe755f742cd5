"""Deliveries from a file chosen in the browser: it is kept, looked into, and goes on as an import run."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from core.access import operator_required
from core.aws.errors import AwsError
from shipments.deliveries.importer import UnreadableFileError
from shipments.deliveries.runs import receive


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or NDJSON, also packed with gzip. You see the first rows before anything is changed."),
    )


@operator_required
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        try:
            run, _sample = receive(form.cleaned_data["file"], actor=request.user)
        except UnreadableFileError as error:
            form.add_error("file", str(error))
        except AwsError:
            form.add_error("file", _("The document store cannot be reached. Try again in a minute."))
        else:
            return redirect("import-detail", run.pk)
    status = 400 if request.method == "POST" else 200
    return render(request, "shipments/upload.html", {"form": form}, status=status)
