"""A function's page and its "run it" form."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.access import operator_required
from core.timerange import time_range
from services_registry.batches import BatchError, start_run
from services_registry.choices import TONES
from services_registry.function_changes import readable_changes
from services_registry.function_charts import charts_of
from services_registry.function_facts import facts_of, summed, totals_of
from services_registry.models import Batch, Function
from services_registry.selectors import course_of

MOST_PAYLOAD = 6 * 1024 * 1024  # Lambda's synchronous request limit
REPORT_TONES = {"success": "green", "error": "red", "timeout": "red", "failure": "red"}


class RunForm(forms.Form):
    payload = forms.CharField(
        label=_("JSON payload"),
        initial="{}",
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "font-monospace"}),
        help_text=_("What the function receives as its event, at most 6 MB."),
    )
    reason = forms.CharField(label=_("Why"), required=False, max_length=300)

    def clean_payload(self) -> Any:
        text = self.cleaned_data["payload"]
        if len(text.encode()) > MOST_PAYLOAD:
            raise forms.ValidationError(_("The payload is over 6 MB, which Lambda refuses for a synchronous call."))
        try:
            return json.loads(text)
        except ValueError as error:
            raise forms.ValidationError(_("This is not JSON: %(error)s"), params={"error": str(error)}) from error


@login_required
@require_GET
def function_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _detail(request, get_object_or_404(Function, pk=pk), RunForm())


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
        return _detail(request, function, form, status=400)
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
        return _detail(request, function, form, status=400)
    return redirect("batch-detail", pk=batch.pk)


def _detail(request: HttpRequest, function: Function, form: RunForm, status: int = 200) -> HttpResponse:
    period = time_range(request.GET, default="30d")
    points = course_of(function, period)
    facts = summed([function], period)[0]
    context = {
        "function": function,
        "facts": facts,
        "period": period,
        "charts": charts_of(function, points),
        "sample": any(point.sample for point in points),
        "reports": [_toned(report, report.status) for report in function.reports.all()[:20]],
        "batches": [_toned(batch, batch.state) for batch in Batch.objects.filter(function_name=function.name)[:10]],
        "revisions": [_worded(revision) for revision in function.revisions.all()[:10]],
        "form": form,
        "region": settings.AWS_REGION,
    }
    return render(request, "services_registry/function_detail.html", context, status=status)


def _toned(row: Any, state: str) -> Any:
    row.tone = REPORT_TONES.get(state) or TONES.get(state, "secondary")
    return row


def _worded(revision: Any) -> Any:
    revision.readable = readable_changes(revision)
    return revision


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
