"""The form of a rule that does something: the same fields are tried out and saved."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from services_registry.models import Function
from shipments.choices import MADE_HERE, Action, DocumentType, Trigger
from shipments.models import Automation, Carrier

_MAKEABLE = [kind for kind in MADE_HERE if kind != DocumentType.MANIFEST]


class AutomationForm(forms.ModelForm[Automation]):
    """When, if, then. A valid form gives a rule that is not saved yet (`instance`)."""

    carrier = forms.ModelChoiceField(
        label=_("If the carrier is"), queryset=Carrier.objects.order_by("name"), required=False, empty_label=_("any")
    )
    people = forms.CharField(
        label=_("Who is told"), required=False, help_text=_("User names with commas between; they see it at the bell.")
    )

    class Meta:
        model = Automation
        fields = [
            "name", "trigger", "carrier", "document_type", "status", "text", "action", "people", "words", "make_type",
            "function_name",
        ]  # fmt: skip
        labels = {
            "name": _("Name"), "trigger": _("When"), "document_type": _("If the document is"),
            "status": _("If the delivery is"), "text": _("If it contains"), "words": _("What they are told or asked"),
            "action": _("Then"),
            "make_type": _("What is made"), "function_name": _("Which function runs"),
        }  # fmt: skip
        help_texts = {
            "document_type": _("Only for rules about documents."),
            "text": _("Words in a stored document or in the name of its file."),
            "function_name": _("It gets one JSON event with everything that happened in the last minute."),
        }  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "–"), *((kind.value, kind.label) for kind in _MAKEABLE)]
        self.fields["make_type"] = forms.ChoiceField(label=_("What is made"), choices=choices, required=False)
        if not self.is_bound and self.instance.pk:
            self.initial["people"] = ", ".join(self.instance.people)

    def clean_people(self) -> list[str]:
        names = [name.strip().removeprefix("@") for name in self.cleaned_data["people"].split(",") if name.strip()]
        known = set(
            get_user_model().objects.filter(username__in=names, is_active=True).values_list("username", flat=True)
        )
        if unknown := [name for name in names if name not in known]:
            raise forms.ValidationError(_("Nobody is called %(names)s."), params={"names": ", ".join(unknown)})
        return list(dict.fromkeys(names))

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        needs = {
            Action.NOTIFY: ("people", _("Say who is told.")), Action.MAKE: ("make_type", _("Say what is made.")),
            Action.RUN: ("function_name", _("Say which function runs.")),
        }  # fmt: skip
        name, words = needs.get(data.get("action"), ("", ""))  # type: ignore[arg-type]  # no action: nothing is needed
        if name and not data.get(name) and name not in self.errors:
            self.add_error(name, str(words))
        function = data.get("function_name")
        if (
            function
            and data.get("action") == Action.RUN
            and not Function.objects.filter(name=function, gone=None).exists()
        ):
            self.add_error("function_name", _("The registry knows no function of this name."))
        if data.get("action") == Action.ATTACH and data.get("trigger") not in (Trigger.STORED, None):
            self.add_error("action", _("Only a stored document can be attached."))
        if data.get("trigger") == Trigger.STATUS and not data.get("status"):
            self.add_error("status", _("Say which status sets it off."))
        return data
