"""The "run it" form of a function, and what it begins with."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from services_registry import payloads
from services_registry.models import Batch, Function

MOST_PAYLOAD = 6 * 1024 * 1024  # Lambda's synchronous request limit


class RunForm(forms.Form):
    """`name` and `shared` are for keeping the payload, and mean nothing for a run."""

    payload = forms.CharField(
        label=_("JSON payload"),
        initial="{}",
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "font-monospace"}),
        help_text=_("What the function receives as its event, at most 6 MB."),
    )
    reason = forms.CharField(label=_("Why"), required=False, max_length=300)
    name = forms.CharField(
        label=_("Name"), required=False, max_length=80, help_text=_("No secrets: whoever sees it can read it.")
    )
    shared = forms.BooleanField(label=_("everybody may use it"), required=False)

    def clean_payload(self) -> Any:
        text = self.cleaned_data["payload"]
        if len(text.encode()) > MOST_PAYLOAD:
            raise forms.ValidationError(_("The payload is over 6 MB, which Lambda refuses for a synchronous call."))
        try:
            return json.loads(text)
        except ValueError as error:
            raise forms.ValidationError(_("This is not JSON: %(error)s"), params={"error": str(error)}) from error


def form_for(function: Function, query: QueryDict, user: Any) -> RunForm:
    """Empty, or with a kept payload (`?payload=`) or that of an earlier run (`?again=`)."""
    if key := _uuid(query.get("payload")):
        row = payloads.visible_to(user, function).filter(pk=key).first()
        if row is not None:
            own = row.owner_id == user.pk
            return RunForm(initial={
                "payload": _text(row.payload), "name": row.name if own else "", "shared": own and row.shared,
            })  # fmt: skip
    if key := _uuid(query.get("again")):
        run = Batch.objects.filter(pk=key, function_name=function.name, capability="").first()
        if run is not None and run.payload is not None:
            return RunForm(initial={"payload": _text(run.payload), "reason": run.reason})
    return RunForm()


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _text(payload: Any) -> str:
    return json.dumps(payload, indent=2, ensure_ascii=False)
