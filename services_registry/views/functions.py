"""The registry list, a function's page and its "run it" form."""

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
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET, require_POST

from core.access import operator_required
from core.htmx import is_fragment, vary_on_fragment
from core.timerange import time_range
from services_registry.batches import BatchError, start_run
from services_registry.choices import TONES
from services_registry.function_changes import readable_changes
from services_registry.function_charts import charts_of
from services_registry.function_filters import FunctionFilter
from services_registry.models import Batch, Function
from services_registry.selectors import FunctionFacts, add_percentiles, course_of, facts_for, fleet_totals

PAGE_SIZE = 50
MINIMUM_SAMPLE = 20  # rates of fewer calls are shown but ranked last: 1 failure of 1 call is not 100 %
MOST_PAYLOAD = 6 * 1024 * 1024  # Lambda's synchronous request limit


def _rate(value: float | None, sample: int | None) -> tuple[bool, float]:
    return ((sample or 0) >= MINIMUM_SAMPLE, value or 0.0)


SORTS: dict[str, Any] = {
    "name": lambda facts: facts.function.name,
    "invocations": lambda facts: facts.invocations or 0,
    "errors": lambda facts: _rate(facts.error_share, facts.invocations),
    "timeouts": lambda facts: facts.timeouts or 0,
    "cold_starts": lambda facts: facts.cold_starts or 0,
    "memory": lambda facts: facts.memory_share or 0.0,
    "cost": lambda facts: facts.cost or 0,
    "timeout": lambda facts: facts.function.timeout_s,
    "size": lambda facts: facts.function.code_bytes,
}

# What the columns of the list are called, which sort they offer (if any) and whether they hold numbers.
COLUMNS: list[tuple[Any, str, bool]] = [
    (_lazy("Name"), "name", False), (_lazy("Runtime"), "", False), (_lazy("Owner"), "", False),
    (_lazy("Invocations"), "invocations", True), (_lazy("Course"), "", False), (_lazy("Errors"), "errors", True),
    (_lazy("Time-outs"), "timeouts", True), (_lazy("Cold starts"), "cold_starts", True), ("p50", "", True),
    ("p95", "", True), ("p99", "", True), (_lazy("Memory"), "memory", True), (_lazy("Time-out"), "timeout", True),
    (_lazy("Cost"), "cost", True),
]  # fmt: skip
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
def function_list(request: HttpRequest) -> HttpResponse:
    period = time_range(request.GET, default="30d")
    filters = FunctionFilter(request.GET, queryset=Function.objects.all())
    facts = facts_for(list(filters.qs), period)
    sort = request.GET.get("sort", "-invocations")
    facts.sort(key=lambda entry: entry.function.name)
    facts.sort(key=SORTS.get(sort.lstrip("-"), SORTS["invocations"]), reverse=sort.startswith("-"))
    page, pages = _page(request, len(facts))
    shown = facts[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    add_percentiles(shown, period)
    context = {
        "filters": filters, "facts": shown, "found": len(facts), "page": page, "pages": pages, "period": period,
        "sort": sort, "columns": _columns(sort), "page_numbers": range(1, pages + 1), "kept": _kept(request),
        "filtered": any(request.GET.get(name) for name in filters.form.fields),
        "sample": any(entry.sample or entry.function.sample for entry in shown), "minimum": MINIMUM_SAMPLE,
    }  # fmt: skip
    template = "_function_table.html" if is_fragment(request) else "function_list.html"
    return vary_on_fragment(render(request, f"services_registry/{template}", context))


def _columns(sort: str) -> list[dict[str, Any]]:
    """The heads of the table; a click sorts by the column, a second click the other way round."""
    heads = []
    for label, name, numeric in COLUMNS:
        present = sort.lstrip("-") == name
        down = sort.startswith("-")
        direction = ("descending" if down else "ascending") if name and present else ""
        wanted = f"-{name}" if (numeric and not present) or (present and not down) else name
        heads.append({"label": label, "sort": wanted if name else "", "direction": direction, "num": numeric})
    return heads


def _kept(request: HttpRequest) -> list[tuple[str, str]]:
    """What the filter form carries along: the time range and the order."""
    return [(name, request.GET[name]) for name in ("range", "from", "to", "sort") if request.GET.get(name)]


def _page(request: HttpRequest, found: int) -> tuple[int, int]:
    pages = max(1, -(-found // PAGE_SIZE))
    wanted = request.GET.get("page", "1")
    return (min(pages, max(1, int(wanted))) if wanted.isdigit() else 1), pages


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
    facts = FunctionFacts(function) if not points else facts_for([function], period)[0]
    add_percentiles([facts], period)
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
    everything = facts_for(list(Function.objects.filter(gone=None)), period)
    facts = [entry for entry in everything if entry.timeouts]
    facts.sort(key=lambda entry: -(entry.timeouts or 0))
    sample = any(entry.sample for entry in everything)
    context = {"facts": facts[:6], "totals": fleet_totals(period), "period": period, "sample": sample}
    return render(request, "services_registry/_function_home.html", context)
