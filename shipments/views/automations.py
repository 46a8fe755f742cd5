"""Rules that do something: the list with what they did, and changing one after trying it out on history."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.access import admin_required
from core.pagination import KeysetPage
from shipments.automation_forms import AutomationForm
from shipments.automations import end_automation, save_automation, tried_out
from shipments.models import Automation, AutomationRun


@login_required
@require_GET
def automation_list(request: HttpRequest) -> HttpResponse:
    rules = Automation.objects.select_related("carrier").annotate(fired=Count("runs")).order_by("-active", "name")
    return render(request, "shipments/automations/list.html", {"rules": rules})


@login_required
@require_GET
def automation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What a rule did, latest first."""
    rule = get_object_or_404(Automation.objects.select_related("carrier"), pk=pk)
    runs = AutomationRun.objects.filter(automation=rule).select_related("shipment", "document")
    page = KeysetPage.of(runs, order=["-at", "-id"], request=request)
    return render(request, "shipments/automations/detail.html", {"rule": rule, "page": page})


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def automation_edit(request: HttpRequest, pk: int | None = None) -> HttpResponseBase:
    """The form (GET), what the rule would have done (GET with its fields), and saving it (POST)."""
    stored = get_object_or_404(Automation, pk=pk) if pk else None
    given = request.POST if request.method == "POST" else request.GET if "trigger" in request.GET else None
    form = AutomationForm(given, instance=stored)
    context = {"form": form, "stored": stored, "tried": None}
    if given is None:
        return render(request, "shipments/automations/edit.html", context)
    if not form.is_valid():
        return render(request, "shipments/automations/edit.html", context, status=400)
    rule = form.save(commit=False)
    if request.method != "POST":
        return render(request, "shipments/automations/edit.html", context | {"tried": tried_out(rule)})
    save_automation(rule, actor=request.user)
    messages.success(request, _("Saved: %(rule)s. It looks at what happens from now on.") % {"rule": rule})
    return redirect("automation-detail", pk=rule.pk)


@admin_required
@require_POST
def automation_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Off, or on again."""
    rule = get_object_or_404(Automation, pk=pk)
    end_automation(rule, actor=request.user, active="on" in request.POST)
    return redirect("automation-list")
