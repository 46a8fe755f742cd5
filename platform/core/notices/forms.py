"""What a person ticks on the page of their messages; the service checks it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class QuietForm(forms.Form):
    email = forms.CharField(
        label=_("E-mail address"), required=False, max_length=254, widget=forms.EmailInput(),
        help_text=_("Without one nothing is mailed to you."),
    )  # fmt: skip
    quiet_from = forms.TimeField(label=_("Quiet from"), required=False, widget=CLOCK)
    quiet_to = forms.TimeField(
        label=_("Quiet until"), required=False, widget=CLOCK,
        help_text=_("In your time zone. What comes meanwhile is sent afterwards as one digest; the inbox has it at once."),
    )  # fmt: skip
    urgent_in_quiet = forms.BooleanField(label=_("Critical messages may come in quiet hours"), required=False)
