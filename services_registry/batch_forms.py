"""Forms of the batch pages: a selection as other pages send it, and the confirmation of a plan."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from services_registry.batches import BatchError


def selection_of(data: QueryDict) -> dict[str, Any]:
    """The selection in a posted form.

    `keys` (repeated; also spelled `ids`) names the chosen ones. `query` (a JSON object, or a query string) means all
    that match; it counts when `all_matching` is set or nothing is chosen.

    Raises:
        BatchError: there is neither.
    """
    keys = [key for name in ("keys", "ids") for key in data.getlist(name) if key]
    query = data.get("query", "")
    if keys and not data.get("all_matching"):
        return {"keys": keys}
    if query or data.get("all_matching"):
        return {"query": _query(query)}
    raise BatchError(str(_("Nothing is selected. Tick at least one row, then try again.")), code="empty_selection")


def _query(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {key: values if len(values) > 1 else values[0] for key, values in QueryDict(text).lists()}
    if not isinstance(value, dict):
        raise BatchError(str(_("The query must be a JSON object.")), code="selection")
    return value


class StartForm(forms.Form):
    """What the plan page confirms. The hidden key makes a second click the same batch."""

    capability = forms.CharField(max_length=60, widget=forms.HiddenInput)
    selection = forms.JSONField(widget=forms.HiddenInput)
    context = forms.JSONField(required=False, widget=forms.HiddenInput)
    idempotency_key = forms.CharField(max_length=120, widget=forms.HiddenInput)
    reason = forms.CharField(label=_("Why"), required=False, max_length=300, help_text=_("Kept with the batch."))

    def clean_selection(self) -> dict[str, Any]:
        selection = self.cleaned_data["selection"]
        if not isinstance(selection, dict):
            raise forms.ValidationError(_("The selection must be a JSON object."))
        return selection

    def clean_context(self) -> dict[str, Any]:
        context = self.cleaned_data["context"] or {}
        if not isinstance(context, dict):
            raise forms.ValidationError(_("The options must be a JSON object."))
        return context


class ReasonForm(forms.Form):
    """Cancelling and retrying: why, and a key against double clicks."""

    reason = forms.CharField(label=_("Why"), required=False, max_length=300)
    idempotency_key = forms.CharField(max_length=120, required=False, widget=forms.HiddenInput)


def new_key() -> str:
    return uuid.uuid4().hex
