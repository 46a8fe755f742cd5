"""Forms about documents: what to make, templates, and the letterhead."""

from __future__ import annotations

import base64
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from shipments.choices import MADE_HERE, DocumentType, Language
from shipments.documents.making import RECIPIENT
from shipments.models import Carrier, Letterhead, Shipment, TemplateVersion

INCOTERMS = ("EXW", "FCA", "CPT", "CIP", "DAP", "DPU", "DDP", "FAS", "FOB", "CFR", "CIF")
"""Of the International Chamber of Commerce, 2020."""
SHOWN_VERSIONS = 100
LARGEST_LOGO = 150_000
LOGO_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}
TYPES = [(kind.value, kind.label) for kind in MADE_HERE]


class DocumentOptionsForm(forms.Form):
    """What a batch of `render_pdf` makes."""

    type = forms.ChoiceField(label=_("Document"), choices=TYPES, initial=DocumentType.DELIVERY_NOTE)
    language = forms.ChoiceField(
        label=_("Language"), choices=[*Language.choices, (RECIPIENT, _("of the recipient's country"))],
        initial=Language.ENGLISH,
    )  # fmt: skip
    template = forms.ChoiceField(label=_("Template"), required=False)
    incoterm = forms.ChoiceField(
        label=_("Incoterm"), required=False, choices=[("", _("not stated")), *((term, term) for term in INCOTERMS)],
        help_text=_("Printed on commercial invoices."),
    )  # fmt: skip
    export_reason = forms.ChoiceField(
        label=_("Reason for export"), required=False,
        choices=[
            ("", _("not stated")), ("sale", _("sale")), ("gift", _("gift")), ("sample", _("sample without commercial value")),
            ("return", _("return")), ("repair", _("repair")),
        ],
        help_text=_("Printed on commercial invoices."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["template"].choices = _template_choices()  # type: ignore[attr-defined]  # a ChoiceField

    def clean(self) -> dict[str, Any]:
        """A version is of one type of document."""
        cleaned = super().clean() or {}
        version = TemplateVersion.objects.select_related("template").filter(pk=cleaned.get("template") or 0).first()
        if version and cleaned.get("type") and version.template.type != cleaned["type"]:
            self.add_error("template", _("This version is of another type of document."))
        return cleaned


def _template_choices() -> list[tuple[str, Any]]:
    rows = TemplateVersion.objects.select_related("template__carrier").order_by("template__type", "template", "-number")
    choices: list[tuple[str, Any]] = [("", _("the active one")), ("0", _("the built-in page"))]
    for row in rows[:SHOWN_VERSIONS]:
        words = {"template": str(row.template), "n": row.number}
        text = (
            _("%(template)s: version %(n)d, active")
            if row.template.active_id == row.pk
            else _("%(template)s: version %(n)d")
        )
        choices.append((str(row.pk), text % words))
    return choices


class NewTemplateForm(forms.Form):
    """Which documents a template is for."""

    type = forms.ChoiceField(label=_("Document"), choices=TYPES)
    carrier = forms.ModelChoiceField(
        label=_("Carrier"), queryset=Carrier.objects.order_by("name"), required=False, empty_label=_("all carriers")
    )
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("all languages")), *Language.choices]
    )


class TemplateForm(forms.Form):
    """The source of a template, and what to try it with."""

    html = forms.CharField(
        label=_("HTML"), strip=False, widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "class": "code"})
    )
    css = forms.CharField(
        label=_("CSS"), strip=False, required=False,
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false", "class": "code"}),
    )  # fmt: skip
    tried_with = forms.CharField(
        label=_("Try it with the delivery"), required=False, max_length=40,
        help_text=_("A tracking number; empty: the latest delivery."),
    )  # fmt: skip
    tried_in = forms.ChoiceField(label=_("in"), choices=Language.choices, required=False, initial=Language.ENGLISH)
    note = forms.CharField(label=_("What was changed"), required=False, max_length=200)
    use = forms.BooleanField(label=_("Print with it from now on"), required=False, initial=True)

    def clean_html(self) -> str:
        return str(self.cleaned_data["html"]).replace("\r\n", "\n")

    def clean_css(self) -> str:
        return str(self.cleaned_data["css"]).replace("\r\n", "\n")

    def clean_tried_with(self) -> Shipment | None:
        number = self.cleaned_data["tried_with"].strip()
        rows = Shipment.objects.select_related("carrier")
        if not number:
            return rows.order_by("-created", "-id").first()
        shipment = rows.filter(tracking_number=number).first()
        if shipment is None:
            raise forms.ValidationError(_("There is no delivery with this tracking number."))
        return shipment


class LetterheadForm(forms.ModelForm[Letterhead]):
    picture = forms.FileField(
        label=_("Logo"), required=False, help_text=_("PNG or JPEG, at most 150 kB; left empty, it stays as it is.")
    )
    no_logo = forms.BooleanField(label=_("Print no logo"), required=False)

    class Meta:
        model = Letterhead
        fields = ["name", "lines"]

    def clean_picture(self) -> str:
        """As a data: URI."""
        file: UploadedFile[Any] | None = self.cleaned_data["picture"]
        if not file:
            return ""
        content = file.read(LARGEST_LOGO + 1)
        kind = next((kind for head, kind in LOGO_TYPES.items() if content.startswith(head)), "")
        if not kind or len(content) > LARGEST_LOGO:
            raise forms.ValidationError(_("The logo must be a PNG or JPEG of at most 150 kB."))
        return f"data:{kind};base64,{base64.b64encode(content).decode()}"

    def save(self, commit: bool = True) -> Letterhead:
        """Of a valid form."""
        if self.cleaned_data.get("no_logo"):
            self.instance.logo = ""
        elif self.cleaned_data.get("picture"):
            self.instance.logo = self.cleaned_data["picture"]
        return super().save(commit)
