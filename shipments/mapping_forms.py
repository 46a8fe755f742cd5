"""What an administrator says about one code of a carrier."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shipments.choices import Family, Status
from shipments.models import Carrier
from shipments.reasons import reasons_of
from shipments.status.changes import Change
from shipments.status.seed import VALID_FROM


def _reason_choices() -> list[tuple[Any, Any]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for code, family, label in reasons_of(timezone.now().date()).values_list("code", "family", "label"):
        groups.setdefault(family, []).append((code, label))
    return [("", _("none"))] + [(Family(name).label, sorted(groups[name], key=lambda pair: pair[1])) for name in groups]


class MappingForm(forms.Form):
    """All by GET until it is confirmed, so that a link shows a colleague the same preview."""

    carrier = forms.ModelChoiceField(
        queryset=Carrier.objects.all(), to_field_name="code", widget=forms.HiddenInput, label=_("carrier")
    )
    code = forms.CharField(max_length=40, widget=forms.HiddenInput, label=_("code"))
    status = forms.ChoiceField(label=_("Means"), choices=[("", _("choose a status")), *Status.choices])
    reason = forms.ChoiceField(label=_("Reason"), required=False)
    valid_from = forms.DateField(
        label=_("For events from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty: for all events there are. A later day keeps the former meaning for the days before."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = _reason_choices()  # type: ignore[attr-defined]  # a ChoiceField

    def change(self) -> Change:
        """Of a valid form."""
        said = self.cleaned_data
        day = said["valid_from"] or VALID_FROM
        return Change(said["carrier"].pk, said["code"], said["status"], said["reason"], day)
