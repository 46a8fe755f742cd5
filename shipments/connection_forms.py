"""Forms of the pages about carriers' connections."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from shipments.connections.matching import pattern_problem
from shipments.models import CarrierConnection


class TryForm(forms.ModelForm[CarrierConnection]):
    """Directory and pattern, tried on what lies there now before they are saved."""

    class Meta:
        model = CarrierConnection
        fields = ["directory", "pattern"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        trial = CarrierConnection(
            directory=cleaned.get("directory") or "/", pattern=cleaned.get("pattern") or "",
            document_type=self.instance.document_type,
        )  # fmt: skip
        if "pattern" in cleaned and (problem := pattern_problem(trial)):
            self.add_error("pattern", problem)
        return cleaned


class PauseForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("for the colleague who finds the connection paused")
    )
