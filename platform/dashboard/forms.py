"""Forms of the account page."""

from __future__ import annotations

import zoneinfo
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import Preference


def _zones() -> list[tuple[str, Any]]:
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [("", _("the company's")), ("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class PreferenceForm(forms.ModelForm[Preference]):
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=_zones, required=False)

    class Meta:
        model = Preference
        fields: ClassVar[list[str]] = ["time_zone", "theme", "density"]
        labels: ClassVar[dict[str, object]] = {"theme": _("Theme"), "density": _("Table density")}


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(choices=Preference.Theme.choices)


class TokenForm(forms.Form):
    """Name and life of a new API token."""

    name = forms.CharField(
        label=_("What is it for?"),
        max_length=80,
        help_text=_("The tool that will use it, for example “label printer”."),
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        coerce=int,
        choices=[(30, _("30 days")), (90, _("90 days")), (365, _("a year")), (0, _("until revoked"))],
        initial=90,
    )

    def expires(self) -> object:
        days: int = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=days) if days else None
