"""Forms of what a person does to a batch: each asks why, and the answer is kept in its history."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from services_registry.choices import Priority
from services_registry.models import Batch

MOST_AT_ONCE = 1_000


class ReasonForm(forms.Form):
    """Pausing, resuming, cancelling and retrying: why, and a key against double clicks."""

    reason = forms.CharField(
        label=_("Why"), required=False, max_length=300, help_text=_("Kept with the batch, for whoever looks next.")
    )
    idempotency_key = forms.CharField(max_length=120, required=False, widget=forms.HiddenInput)


class AdjustForm(forms.Form):
    """What may be changed while a batch is open; it holds from the next hand-out on."""

    concurrency = forms.IntegerField(
        label=_("At once"), min_value=1, max_value=MOST_AT_ONCE,
        help_text=_("Most invocations at the same time. The function's own limit still holds."),
    )  # fmt: skip
    priority = forms.TypedChoiceField(
        label=_("Priority"), choices=Priority.choices, coerce=int,
        help_text=_("Its share of the places while other batches wait for the same ones."),
    )  # fmt: skip
    max_failed = forms.IntegerField(
        label=_("Halt when more items fail than"), min_value=0, required=False, help_text=_("Empty: no limit.")
    )
    max_failed_percent = forms.IntegerField(
        label=_("Halt when a larger share fails than (%)"), min_value=0, max_value=100, required=False,
        help_text=_("Of the items settled so far. Empty: no limit."),
    )  # fmt: skip
    reason = forms.CharField(label=_("Why"), required=False, max_length=300)

    @classmethod
    def of(cls, batch: Batch) -> AdjustForm:
        """Filled with what holds now."""
        names = ("concurrency", "priority", "max_failed", "max_failed_percent")
        initial: dict[str, Any] = {name: getattr(batch, name) for name in names}
        return cls(initial=initial, auto_id="adjust_%s")
