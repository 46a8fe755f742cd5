"""The registry list: every function of the company, and the same as a file."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from core import saved_views
from core.csv_stream import csv_response
from core.htmx import is_fragment, vary_on_fragment
from core.saved_view_pages import SavedViewPages
from core.timerange import TimeRange, time_range
from services_registry.function_cells import rows_html
from services_registry.function_columns import MINIMUM_SAMPLE, choices_of, columns_of, heads_of, ranked
from services_registry.function_facts import HEAVY, Facts, facts_of, totals_of
from services_registry.function_filters import FunctionFilter
from services_registry.models import Function

PAGE_SIZE = 50
VIEWS_OF = "functions"
VIEWS = SavedViewPages(VIEWS_OF, list_url="function-list", name="function-view")
ONE_VALUE = 2  # choices: "any" and the one
USUAL_SORT = "-invocations"


def asked_for(query: QueryDict) -> tuple[FunctionFilter, TimeRange, Facts]:
    """What an address asks for, all of it: filters, time range, and the facts of every function that matches, sorted."""
    period = time_range(query, default="30d")
    everything = Function.objects.defer(*HEAVY)
    filters = FunctionFilter(query, queryset=everything)
    found = facts_of(list(filters.qs) if filters.is_valid() else [], period)
    return filters, period, Facts(ranked(found.rows, query.get("sort", USUAL_SORT)), found.as_of)


@login_required
@require_GET
def function_list(request: HttpRequest) -> HttpResponse:
    filters, period, facts = asked_for(request.GET)
    _leave_out_pointless(filters)
    columns, sort = columns_of(request.GET.getlist("columns")), request.GET.get("sort", USUAL_SORT)
    page, pages = _page(request, len(facts.rows))
    shown = facts.rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    may_edit = request.user.has_perm("core.operate")
    views = list(saved_views.visible_to(request.user, VIEWS_OF))
    context = {
        "rows_html": rows_html(shown, [column.name for column in columns], period, ticks=may_edit),
        "views": views, "view_names": VIEWS.names, "address": saved_views.query_of(request.GET.urlencode()),
        "view": next((view for view in views if str(view.pk) == request.GET.get("view")), None),
        "filters": filters, "facts": shown, "found": len(facts.rows), "as_of": facts.as_of, "period": period,
        "page": page, "pages": pages, "page_numbers": range(1, pages + 1), "totals": totals_of(facts.rows),
        "sort": sort, "columns": heads_of(columns, sort), "choices": choices_of(columns), "kept": _kept(request),
        "kept_filters": [pair for pair in _pairs(saved_views.query_of(request.GET.urlencode())) if pair[0] != "columns"],
        "filtered": any(request.GET.get(name) for name in filters.form.fields), "minimum": MINIMUM_SAMPLE,
        "sample": any(entry.sample or entry.function.sample for entry in shown), "query": request.GET.urlencode(),
        "may_edit": may_edit,
    }  # fmt: skip
    template = "_function_table.html" if is_fragment(request) else "function_list.html"
    status = 200 if filters.is_valid() else 400
    return vary_on_fragment(render(request, f"services_registry/{template}", context, status=status))


def _leave_out_pointless(filters: FunctionFilter) -> None:
    """No field for what all functions share, unless something is chosen in it."""
    for name in ("account", "region", "architecture"):
        if len(list(filters.form.fields[name].widget.choices)) <= ONE_VALUE and not filters.form.data.get(name):
            del filters.form.fields[name]


@login_required
@require_GET
def functions_csv(request: HttpRequest) -> HttpResponseBase:
    """What the list shows with its filters, range, order and columns, without pages."""
    _filters, _period, facts = asked_for(request.GET)
    columns = columns_of(request.GET.getlist("columns"))
    rows = ([column.cell(entry) for column in columns] for entry in facts.rows)
    return csv_response(f"functions-{timezone.localdate():%Y-%m-%d}.csv", [column.name for column in columns], rows)


def _pairs(query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, values in QueryDict(query).lists() for value in values]


def _kept(request: HttpRequest) -> list[tuple[str, str]]:
    """What the filter form carries along: the time range, the order and the columns."""
    names = ("range", "from", "to", "from_time", "to_time", "sort", "columns")
    return [(name, value) for name in names for value in request.GET.getlist(name) if value]


def _page(request: HttpRequest, found: int) -> tuple[int, int]:
    pages = max(1, -(-found // PAGE_SIZE))
    wanted: Any = request.GET.get("page", "1")
    return (min(pages, max(1, int(wanted))) if wanted.isdecimal() else 1), pages
