"""CloudWatch's count: a function's panel, the hot set, and asking now."""

from __future__ import annotations

from typing import Any

from celery import current_app
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from core.access import operator_required
from core.audit import record
from core.timerange import time_range
from services_registry.function_metrics import metric_charts
from services_registry.models import Function
from services_registry.telemetry.metrics.hot import MOST_HOURS, cool, mark_hot
from services_registry.telemetry.metrics.places import real_functions

BACK = "telemetry"


class HotForm(forms.Form):
    function = forms.CharField(label=gettext_lazy("Function"), max_length=140)
    hours = forms.IntegerField(label=gettext_lazy("Hours"), initial=4, min_value=1, max_value=MOST_HOURS)

    def clean_function(self) -> Any:
        function = real_functions().filter(name=self.cleaned_data["function"].strip()).first()
        if function is None:
            raise forms.ValidationError(_("AWS has no function of this name, as far as the registry knows."))
        return function


@login_required
@require_GET
def function_metrics(request: HttpRequest, pk: int) -> HttpResponse:
    """A panel of the function's page."""
    function = get_object_or_404(Function, pk=pk)
    period = time_range(request.GET, default="30d")
    context = {"function": function, "charts": metric_charts(function, period), "period": period}
    return render(request, "services_registry/_function_metrics.html", context)


@operator_required
@require_POST
def check_now(request: HttpRequest) -> HttpResponse:
    """Ask CloudWatch now, in the background, whatever the time and the budget."""
    with transaction.atomic():
        record(actor=request.user, verb="metrics.check")
        transaction.on_commit(lambda: current_app.send_task("services_registry.check_metrics", kwargs={"asked": True}))
    messages.success(request, _("CloudWatch is being asked. This page shows what it says."))
    return redirect(BACK)


@operator_required
@require_POST
def heat(request: HttpRequest) -> HttpResponse:
    """Watch a function by the minute for some hours."""
    form = HotForm(request.POST)
    if not form.is_valid():
        for problems in form.errors.values():
            messages.error(request, " ".join(str(problem) for problem in problems))
        return redirect(BACK)
    function = form.cleaned_data["function"]
    mark_hot(function, hours=form.cleaned_data["hours"], actor=request.user, source="page")
    messages.success(request, _("%s is read by the minute from now on.") % function.name)
    return redirect(BACK)


@operator_required
@require_POST
def cool_down(request: HttpRequest, pk: int) -> HttpResponse:
    """Watch it by the minute no longer."""
    function = get_object_or_404(Function, pk=pk)
    if cool(function, actor=request.user, source="page"):
        messages.success(request, _("%s is read by the hour again.") % function.name)
    return redirect(BACK)
