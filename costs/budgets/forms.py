"""What a person says about a budget; the service checks it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from costs.budgets.choices import Basis, Currency, Scope


class NumbersField(forms.CharField):
    """`50, 80, 100`."""

    def clean(self, value: Any) -> list[int]:
        words = str(super().clean(value) or "").replace("%", " ").replace(",", " ").split()
        if not all(word.isascii() and word.isdigit() and len(word) < 6 for word in words):
            raise ValidationError(_("Whole numbers, for example 50, 80, 100."))
        return [int(word) for word in words]


class NamesField(forms.CharField):
    """User names, separated by commas or blanks."""

    def clean(self, value: Any) -> list[str]:
        return str(super().clean(value) or "").replace(",", " ").replace("@", " ").split()


class BudgetForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80)
    scope = forms.ChoiceField(label=_("For"), choices=Scope)
    key = forms.CharField(
        label=_("Which one"), max_length=120, required=False,
        help_text=_("The capability, owner or account number as the registry spells it; empty for everything."),
    )  # fmt: skip
    basis = forms.ChoiceField(
        label=_("Which costs"), choices=Basis, required=False, initial=Basis.ESTIMATED,
        help_text=_("Estimated: of functions, at once. Billed: everything in the bills, in their currency, days late."),
    )  # fmt: skip
    amount = forms.DecimalField(label=_("A month"), max_digits=14, decimal_places=2, min_value=1)
    currency = forms.ChoiceField(label=_("Currency"), choices=Currency)
    thresholds = NumbersField(
        label=_("Tell at (per cent spent)"), max_length=100, required=False, help_text=_("For example 50, 80, 100.")
    )
    tell_forecast = forms.BooleanField(label=_("Tell when the forecast is over it"), required=False)
    people = NamesField(
        label=_("Whom to tell"), max_length=1000, required=False,
        help_text=_("User names, separated by commas; empty: all administrators."),
    )  # fmt: skip
    active = forms.BooleanField(label=_("Active"), required=False)

    def clean_basis(self) -> str:
        return self.cleaned_data["basis"] or Basis.ESTIMATED

    def __init__(self, *args: Any, known: dict[str, list[str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].widget.attrs["list"] = "known-keys"
        self.known = sorted({value for values in (known or {}).values() for value in values if value})
