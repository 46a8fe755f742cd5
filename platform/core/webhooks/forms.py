"""What an administrator says about a webhook; the service checks it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.webhooks.services import kinds


class WebhookForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Which tool it is."))
    url = forms.CharField(
        label=_("URL"), max_length=500, help_text=_("https://… of the tool. It must answer 2xx within 20 seconds.")
    )
    events = forms.MultipleChoiceField(label=_("Tell it when"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(name, f"{label} ({name})") for name, label in kinds().items()]
        self.fields["events"].choices = choices  # type: ignore[attr-defined]  # a choice field
