"""The plan before a start, and the start itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from core.access import operator_required
from core.errors import RefusedError
from services_registry.batch_forms import StartForm, new_key, selection_of
from services_registry.batches import plan_batch, start_batch
from services_registry.plan_gauges import gauges_of


@operator_required
@require_POST
def plan(request: HttpRequest) -> HttpResponse:
    """What would be started, with the confirmation below it; again with other options when the form asks for that."""
    if "selection" in request.POST:
        form = StartForm(request.POST)
        return _page(request, form, status=200 if form.is_valid() and form.options_valid else 400)
    try:
        form = StartForm(initial=_first(request))
    except RefusedError as error:
        return _refused(request, error)
    return _page(request, form)


def show_plan(
    request: HttpRequest, *, capability: str, selection: Mapping[str, Any], context: Mapping[str, Any]
) -> HttpResponse:
    """The plan page for what a page of another app chose; that page has checked that the person may run things."""
    first = {"capability": capability, "selection": dict(selection), "context": dict(context)}
    return _page(request, StartForm(initial={**first, "idempotency_key": new_key()}))


@operator_required
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Start what was planned; anything wrong shows the plan again with all that was entered."""
    form = StartForm(request.POST)
    if not (form.is_valid() and form.options_valid):
        return _page(request, form, status=400)
    try:
        batch = start_batch(actor=request.user, source="page", **form.cleaned_data)
    except RefusedError as error:
        # Nothing was started, so the next try is a new one.
        data = request.POST.copy()
        data["idempotency_key"] = new_key()
        return _page(request, StartForm(data), status=error.status, problem=error.message)
    return redirect("batch-detail", pk=batch.pk)


def _first(request: HttpRequest) -> dict[str, Any]:
    """The form's first values, from the list or page where something was chosen."""
    return {
        "capability": request.POST.get("capability") or request.POST.get("action", ""),
        "selection": selection_of(request.POST),
        "context": _json_or_nothing(request.POST.get("context", "")),
        "idempotency_key": new_key(),
    }


def _page(request: HttpRequest, form: StartForm, *, status: int = 200, problem: str = "") -> HttpResponse:
    asked = form.asked
    try:
        planned = plan_batch(
            asked.get("capability", ""),
            asked.get("selection") or {},
            context=asked.get("context"),
            chunk_size=asked.get("chunk_size"),
            concurrency=asked.get("concurrency"),
        )
    except RefusedError as error:
        return _refused(request, error)
    context = {"plan": planned, "gauges": gauges_of(planned), "form": form, "problem": problem}
    return render(request, "services_registry/batch_plan.html", context, status=status)


def _refused(request: HttpRequest, error: RefusedError) -> HttpResponse:
    context = {"problem": error.message, "back": request.headers.get("referer", "")}
    return render(request, "services_registry/batch_plan.html", context, status=error.status)


def _json_or_nothing(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return {}
