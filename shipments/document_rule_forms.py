"""The form of a document rule: the same fields are tried out and saved."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shipments.choices import DocumentType
from shipments.deliveries.columns import INCOTERMS
from shipments.models import Carrier, DocumentRule

MOST_HOURS = 24 * 366


class DocumentRuleForm(forms.ModelForm[DocumentRule]):
    """A valid form gives a rule that is not saved yet (`rule`)."""

    carrier = forms.ModelChoiceField(
        label=_("Carrier"), queryset=Carrier.objects.order_by("name"), required=False, empty_label=_("all carriers")
    )

    class Meta:
        model = DocumentRule
        fields = [
            "document_type", "obtain", "from_status", "due_hours", "due_after", "carrier", "lane", "origin",
            "destinations", "incoterm", "valid_from",
        ]  # fmt: skip
        labels = {
            "document_type": _("Document"), "obtain": _("How it is got"), "from_status": _("Expected from"),
            "due_hours": _("Due within hours"), "due_after": _("after it was"), "lane": _("Lane"),
            "origin": _("From country"), "destinations": _("To countries"), "incoterm": _("Incoterm"),
            "valid_from": _("Ordered from"),
        }  # fmt: skip
        help_texts = {
            "obtain": _("“Not expected” exempts deliveries that a more general rule covers."),
            "valid_from": _("Deliveries ordered before this day keep the rules they had."),
        }  # fmt: skip
        widgets = {"valid_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = [choice for choice in DocumentType.choices if choice[0] != DocumentType.MANIFEST]
        self.fields["document_type"].choices = types  # type: ignore[attr-defined]  # a manifest belongs to a carrier
        if not self.is_bound:
            self.initial["valid_from"] = timezone.now().date()

    def clean_due_hours(self) -> int:
        hours: int = self.cleaned_data["due_hours"]
        if abs(hours) > MOST_HOURS:
            raise forms.ValidationError(_("At most a year."))
        return hours

    def clean_origin(self) -> str:
        return self._countries("origin")

    def clean_destinations(self) -> str:
        return self._countries("destinations")

    def _countries(self, name: str) -> str:
        codes = [part.strip().upper() for part in self.cleaned_data[name].split(",") if part.strip()]
        if bad := [code for code in codes if not re.fullmatch(r"[A-Z]{2}", code)]:
            raise forms.ValidationError(_("Not a two-letter country: %(code)s") % {"code": bad[0][:20]})
        return ", ".join(dict.fromkeys(codes))

    def clean_incoterm(self) -> str:
        term: str = self.cleaned_data["incoterm"].strip().upper()
        if term and term not in INCOTERMS:
            raise forms.ValidationError(_("Not an Incoterm: %(term)s") % {"term": term})
        return term

    def rule(self) -> DocumentRule:
        """The rule as it would be, with the key of the one it changes."""
        rule: DocumentRule = self.save(commit=False)
        return rule
