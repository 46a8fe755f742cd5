"""The findings: the list, one finding, putting it off; and the panels of them on other pages."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.access import operator_required
from core.errors import RefusedError
from core.pagination import KeysetPage, capped_count
from services_registry.choices import TONES, FindingState, StopState
from services_registry.finding_filters import FindingFilter
from services_registry.finding_forms import SnoozeForm
from services_registry.finding_page import counts_by_rule, history_of, known_findings, open_of, shown
from services_registry.guardrails.snoozing import snooze, unsnooze
from services_registry.guardrails.stop import active_stop
from services_registry.guardrails.thresholds import held_by
from services_registry.models import Finding, Function, StopRecord

USUAL = {"state": FindingState.OPEN.value}
ON_HOME = 5


@login_required
@require_GET
def finding_list(request: HttpRequest) -> HttpResponse:
    """The open ones unless another state is asked for; most money at stake first."""
    asked = request.GET.copy()
    if "state" not in asked:
        asked.update(USUAL)
    filters = FindingFilter(asked, queryset=known_findings().select_related("function"))
    del filters.form.fields["function"]
    found = filters.qs if filters.is_valid() else Finding.objects.none()
    page = KeysetPage.of(found, order=["-money_usd", "-id"], request=request)
    count, more = capped_count(found)
    filtered = (
        any(request.GET.get(name) for name in ("q", "rule", "severity", "owner", "function")) or "state" in request.GET
    )
    context = {
        "filters": filters, "page": page, "findings": shown(page.rows), "count": count, "more": more, "filtered": filtered,
        "by_rule": counts_by_rule(found), "money": found.order_by().aggregate(usd=Sum("money_usd"))["usd"],
        "sample": any(row.sample for row in page.rows), "ever": bool(count) or Finding.objects.exists(),
    }  # fmt: skip
    return render(request, "services_registry/finding_list.html", context, status=200 if filters.is_valid() else 400)


@login_required
@require_GET
def finding_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _detail(request, pk, SnoozeForm())


def _detail(request: HttpRequest, pk: int, form: SnoozeForm, status: int = 200) -> HttpResponse:
    row = get_object_or_404(known_findings().select_related("function"), pk=pk)
    [finding] = shown([row])
    context = {
        "finding": finding, "row": row, "function": row.function, "history": history_of(row), "form": form,
        "thresholds": held_by(finding.rule, row.last_seen.date()), "stop": active_stop(row.function),
    }  # fmt: skip
    return render(request, "services_registry/finding_detail.html", context, status=status)


@operator_required
@require_POST
def finding_snooze(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Finding, pk=pk)
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        return _detail(request, pk, form, status=400)
    try:
        snooze(row, until=form.until(), reason=form.cleaned_data["reason"], actor=request.user)
    except RefusedError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Put off. It comes back earlier if it gets markedly worse."))
    return redirect("finding-detail", pk=pk)


@operator_required
@require_POST
def finding_unsnooze(request: HttpRequest, pk: int) -> HttpResponse:
    unsnooze(get_object_or_404(Finding, pk=pk), actor=request.user)
    messages.success(request, _("It is open again."))
    return redirect("finding-detail", pk=pk)


@login_required
@require_GET
def function_guardrails(request: HttpRequest, pk: int) -> HttpResponse:
    """On a function's page: what is wrong with it, and whether it is stopped."""
    function = get_object_or_404(Function, pk=pk)
    active = active_stop(function)
    last: StopRecord | None = active or StopRecord.objects.filter(function=function).first()
    context = {
        "function": function, "findings": open_of(pk), "stop": active, "last": last,
        "incomplete": active is not None and active.state == StopState.STOPPING,
        "stop_tone": TONES[last.state] if last else "",
    }  # fmt: skip
    return render(request, "services_registry/_function_guardrails.html", context)


@login_required
@require_GET
def home_panel(request: HttpRequest) -> HttpResponse:
    rows = known_findings().filter(state=FindingState.OPEN)
    dearest = rows.filter(money_usd__gt=0).select_related("function").order_by("-money_usd", "-id")
    top = shown(dearest[:ON_HOME])
    stopped = Function.objects.filter(reserved_concurrency=0, gone=None).order_by("name")[:ON_HOME]
    context = {
        "by_rule": counts_by_rule(rows), "top": top, "money": rows.aggregate(usd=Sum("money_usd"))["usd"],
        "count": rows.count(), "stopped": list(stopped), "sample": any(one.row.sample for one in top),
    }  # fmt: skip
    return render(request, "services_registry/_finding_home.html", context)
