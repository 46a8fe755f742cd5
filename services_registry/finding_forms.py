"""What people say when they put a finding off, and when they stop or restore a function."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

DAYS = [("1", _("a day")), ("7", _("a week")), ("14", _("two weeks")), ("30", _("30 days")), ("90", _("90 days"))]


class SnoozeForm(forms.Form):
    days = forms.ChoiceField(label=_("For"), choices=DAYS, initial="14")
    reason = forms.CharField(
        label=_("Why"), max_length=300, help_text=_("Kept with the finding, for whoever looks next.")
    )

    def until(self) -> Any:
        return timezone.now() + timedelta(days=int(self.cleaned_data["days"]))


class StopForm(forms.Form):
    """`name`: asked for where calls would be lost, as a moment to think."""

    reason = forms.CharField(
        label=_("Why"), max_length=300, help_text=_("Goes to the audit trail and to everybody who may stop functions.")
    )
    name = forms.CharField(label=_("The function's name, because calls will be lost"), required=False, max_length=140)

    def __init__(self, *args: Any, expected: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._expected = expected
        if expected:
            self.fields["name"].required = True
        else:
            del self.fields["name"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if name != self._expected:
            raise forms.ValidationError(_("This is not its name; it is above, with a button to copy it."))
        return name


class RestoreForm(forms.Form):
    reason = forms.CharField(label=_("Why it can run again"), max_length=300)
