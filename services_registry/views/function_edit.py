"""Owner, capability, runbook and notes of one function or of many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from core.access import operator_required
from services_registry.function_filters import known_values
from services_registry.hand_kept import change_hand_kept
from services_registry.models import Function
from services_registry.views.function_list import asked_for

SHOWN = 10


class HandKeptForm(forms.Form):
    """Of many functions an empty field leaves what each has; of one it empties it."""

    owner = forms.CharField(label=_lazy("Owner"), required=False, max_length=80)
    capability = forms.CharField(label=_lazy("Capability"), required=False, max_length=80)
    runbook = forms.URLField(
        label=_lazy("Runbook"), required=False, max_length=300, assume_scheme="https",
        help_text=_lazy("The address that says what to do when it fails."),
    )  # fmt: skip
    notes = forms.CharField(label=_lazy("Notes"), required=False, widget=forms.Textarea(attrs={"rows": 4}))


@operator_required
@require_POST
def edit(request: HttpRequest) -> HttpResponse:
    """First the form for what was selected, then (`save`) the change."""
    functions = _selected(request.POST)
    back = f"{reverse('function-list')}?{request.POST.get('query', '')}"
    if not functions:
        messages.error(request, _("Select at least one function."))
        return redirect(back)
    one = functions[0] if len(functions) == 1 else None
    form = HandKeptForm(request.POST if "save" in request.POST else None, initial=_initial(one))
    if "save" in request.POST and form.is_valid():
        values = {name: value for name, value in form.cleaned_data.items() if one or value}
        changed = change_hand_kept(functions, values, actor=request.user)
        messages.success(
            request, ngettext("%(n)s function changed.", "%(n)s functions changed.", changed) % {"n": changed}
        )
        return redirect(reverse("function-detail", args=[one.pk]) if one and "query" not in request.POST else back)
    context = {
        "form": form, "functions": functions[:SHOWN], "count": len(functions), "more": len(functions) - SHOWN, "one": one,
        "keys": [function.pk for function in functions], "query": request.POST.get("query", ""), "back": back,
        "owners": known_values("owner"), "capabilities": known_values("capability"),
    }  # fmt: skip
    return render(request, "services_registry/function_edit.html", context, status=400 if form.errors else 200)


def _selected(data: QueryDict) -> Sequence[Function]:
    """The ticked ones; with `all_matching` all that match the address of the list as it was."""
    if data.get("all_matching"):
        return [entry.function for entry in asked_for(QueryDict(data.get("query", "")))[2].rows]
    keys = [int(key) for key in data.getlist("keys") if key.isdecimal()]
    return list(Function.objects.filter(pk__in=keys).order_by("name"))


def _initial(function: Function | None) -> dict[str, Any]:
    return {name: getattr(function, name) for name in HandKeptForm.base_fields} if function else {}
