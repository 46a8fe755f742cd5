"""Documents from the browser: several at once, for one delivery or for whichever they turn out to belong to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from core.access import operator_required
from core.aws.errors import AwsError
from core.errors import RefusedError
from shipments.choices import DocumentState, DocumentType
from shipments.documents.uploading import take_upload
from shipments.models import Carrier, Document
from shipments.views.document_actions import delivery_called

MOST_FILES = 100


class ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, list) else [data]
        if len(files) > MOST_FILES:
            raise forms.ValidationError(_("At most %(n)s files at once.") % {"n": MOST_FILES})
        return [super(ManyFilesField, self).clean(file, initial) for file in files]


class UploadForm(forms.Form):
    files = ManyFilesField(  # type: ignore[assignment]  # the stubs see the form's own `files` here
        label=_("Files"),
        help_text=_("PDF, TIFF, PNG or JPEG; up to 100 at once."),
    )
    type = forms.ChoiceField(label=_("Type"), choices=DocumentType.choices)
    number = forms.CharField(
        label=_("Tracking number"), required=False, max_length=40,
        help_text=_("Left empty, it is looked for in the files: in barcodes, text and names."),
    )  # fmt: skip
    carrier = forms.ModelChoiceField(
        label=_("Carrier"), queryset=Carrier.objects.order_by("name"), required=False, to_field_name="code",
        help_text=_("Helps to find the delivery."),
    )  # fmt: skip


@operator_required
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    form = (
        UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm(initial=request.GET.dict())
    )
    if request.method == "POST" and form.is_valid():
        try:
            kept = _take(request, form.cleaned_data)
        except RefusedError as refusal:
            form.add_error(None, refusal.message)
        except AwsError:
            form.add_error(None, _("The document store cannot be reached. Try again in a minute."))
        else:
            _say(request, kept)
            only = kept[0].pk if len(kept) == 1 else None
            return redirect("document-detail", only) if only else redirect(reverse("document-list"))
    status = 400 if request.method == "POST" else 200
    return render(request, "shipments/document_upload.html", {"form": form}, status=status)


def _take(request: HttpRequest, values: dict[str, Any]) -> list[Document]:
    carrier = values["carrier"]
    shipment = delivery_called(values["number"], Document(carrier=carrier)) if values["number"] else None
    return [
        take_upload(file, actor=request.user, type=values["type"], shipment=shipment, carrier=carrier)[0]
        for file in values["files"]
    ]


def _say(request: HttpRequest, kept: list[Document]) -> None:
    bad = [document for document in kept if document.state == DocumentState.QUARANTINED]
    messages.success(request, ngettext("%d document is kept.", "%d documents are kept.", len(kept)) % len(kept))
    for document in bad[:10]:
        messages.warning(request, f"{document.name}: {document.problem}")
