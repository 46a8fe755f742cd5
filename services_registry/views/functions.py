"""A function's page and its "run it" form."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.access import operator_required
from core.htmx import is_fragment, vary_on_fragment
from core.timerange import time_range
from services_registry.batches import BatchError, start_run
from services_registry.function_facts import facts_of, totals_of
from services_registry.function_page import invocations_of, page_of
from services_registry.models import Function
from services_registry.run_forms import RunForm, form_for


@login_required
@require_GET
def function_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole page, or as a fragment the list of invocations behind a point or with an outcome."""
    function = get_object_or_404(Function, pk=pk)
    if is_fragment(request):
        part = "services_registry/_function_invocations.html"
        return vary_on_fragment(render(request, part, invocations_of(function, request)))
    return vary_on_fragment(detail_page(request, function))


@login_required
@require_GET
def by_name(request: HttpRequest, name: str) -> HttpResponse:
    present_first = Function.objects.filter(name=name).order_by(F("gone").desc(nulls_first=True), "pk")
    function = present_first.first()
    if function is None:
        raise Http404(_("The registry knows no function of this name."))
    return redirect("function-detail", pk=function.pk)


@operator_required
@require_POST
def run(request: HttpRequest, pk: int) -> HttpResponse:
    function = get_object_or_404(Function, pk=pk)
    form = RunForm(request.POST)
    if not form.is_valid():
        return detail_page(request, function, {"form": form}, status=400)
    try:
        batch = start_run(
            function_name=function.name,
            region=function.region,
            payload=form.cleaned_data["payload"],
            actor=request.user,
            source="page",
            reason=form.cleaned_data["reason"],
        )
    except BatchError as error:
        messages.error(request, str(error))
        return detail_page(request, function, {"form": form}, status=400)
    return redirect("batch-detail", pk=batch.pk)


def detail_page(
    request: HttpRequest, function: Function, more: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """The whole page; `more`: what was refused, to be shown again with the reason."""
    context = page_of(function, request) | {"form": form_for(function, request.GET, request.user)} | (more or {})
    return render(request, "services_registry/function_detail.html", context, status=status)


@login_required
@require_GET
def home_panel(request: HttpRequest) -> HttpResponse:
    period = time_range(request.GET, default="7d")
    everything = facts_of(list(Function.objects.filter(gone=None)), period).rows
    facts = [entry for entry in everything if entry.timeouts]
    facts.sort(key=lambda entry: -(entry.timeouts or 0))
    sample = any(entry.sample for entry in everything)
    context = {"facts": facts[:6], "totals": totals_of(everything), "period": period, "sample": sample}
    return render(request, "services_registry/_function_home.html", context)
