"""Forms of the batch pages: a selection as other pages send it, and the confirmation of a plan."""

from __future__ import annotations

import json
import uuid
from functools import cached_property
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from services_registry import capabilities
from services_registry.batches import BatchError
from services_registry.choices import Priority

OPTIONS = "option"
"""Prefix of a capability's own fields on the plan page."""
PAGE_FORM = "plan-form"
"""The id of that page's form."""
MOST_FAILED_PERCENT = 50
"""A batch halts when more than this share has failed, unless the person says otherwise."""


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
    chunk_size = forms.IntegerField(
        label=_("Items per chunk, at most"), required=False, min_value=1,
        help_text=_("Empty: as planned. It can only be lowered."),
    )  # fmt: skip
    concurrency = forms.IntegerField(
        label=_("Invocations at once, at most"), required=False, min_value=1,
        help_text=_("Empty: as its binding says. The function's own limit holds in any case."),
    )  # fmt: skip
    priority = forms.TypedChoiceField(
        label=_("Priority"), required=False, coerce=int, choices=Priority.choices, initial=Priority.NORMAL,
        empty_value=Priority.NORMAL,  # type: ignore[arg-type]  # the stubs know text only
        help_text=_("Its share of the places while other batches wait for them."),
    )  # fmt: skip
    max_failed_percent = forms.IntegerField(
        label=_("Halt when more than so many percent failed"), required=False, min_value=0, max_value=100,
        initial=MOST_FAILED_PERCENT, help_text=_("Empty: never halt for this."),
    )  # fmt: skip
    max_failed = forms.IntegerField(
        label=_("Halt when more than so many items failed"), required=False, min_value=0,
        help_text=_("Empty: no such limit."),
    )  # fmt: skip

    ADVANCED = ("chunk_size", "concurrency", "priority", "max_failed_percent", "max_failed")

    @property
    def advanced(self) -> list[forms.BoundField]:
        """The fields that most people leave alone."""
        return [self[name] for name in self.ADVANCED]

    @property
    def advanced_open(self) -> bool:
        """Whether to show them unfolded: something in them was changed, or is wrong."""
        return self.is_bound and any(name in self.changed_data or name in self.errors for name in self.ADVANCED)

    @property
    def asked(self) -> dict[str, Any]:
        """What is there and right so far, also of a form that is not complete."""
        if not self.is_bound:
            return dict(self.initial)
        self.is_valid()
        return self.cleaned_data

    @cached_property
    def options(self) -> forms.Form | None:
        """The fields of the capability, with what was entered in them, else with what came as `context`."""
        slug = (self.data if self.is_bound else self.initial).get("capability", "")
        kind = next((kind for kind in capabilities.all_capabilities() if kind.slug == slug), None)
        if kind is None:
            return None
        if self.is_bound and any(name.startswith(f"{OPTIONS}-") for name in self.data):
            form = kind.options_form(self.data)
        else:
            given = self.data.get("context") if self.is_bound else self.initial.get("context")
            form = kind.options_form(initial=_object_in(given))
        for field in form.fields.values() if form else ():
            field.widget.attrs["form"] = PAGE_FORM  # they stand above the facts, outside of the form
        return form

    @property
    def options_valid(self) -> bool:
        return self.options is None or not self.options.is_bound or self.options.is_valid()

    def clean_max_failed_percent(self) -> int | None:
        """A cleared field means "never"; a request without the field gets the default."""
        if self.add_prefix("max_failed_percent") not in self.data:
            return MOST_FAILED_PERCENT
        percent: int | None = self.cleaned_data["max_failed_percent"]
        return percent

    def clean_selection(self) -> dict[str, Any]:
        selection = self.cleaned_data["selection"]
        if not isinstance(selection, dict):
            raise forms.ValidationError(_("The selection must be a JSON object."))
        return selection

    def clean_context(self) -> dict[str, Any]:
        context = self.cleaned_data["context"] or {}
        if not isinstance(context, dict):
            raise forms.ValidationError(_("The options must be a JSON object."))
        if self.options is not None and self.options.is_bound and self.options.is_valid():
            return self.options.cleaned_data
        return context


def _object_in(given: Any) -> dict[str, Any]:
    """A JSON object, also as text; nothing for anything else."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            return {}
    return given if isinstance(given, dict) else {}


def new_key() -> str:
    return uuid.uuid4().hex
