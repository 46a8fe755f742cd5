"""Should this be a Lambda? The list of all functions by money to win, one function, and its panel elsewhere."""

from __future__ import annotations

from datetime import UTC

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.csv_stream import csv_response
from core.pagination import KeysetPage
from costs.choices import WAY_TONES, WayOut
from costs.estimate import in_currency
from costs.models import WhatIf
from costs.unit_costs.page import plain
from costs.what_if import page
from costs.what_if.answer import ARCHITECTURES, Answer, answer_of
from costs.what_if.assumptions import USUAL, AssumptionsForm
from costs.what_if.use import LEAST_CALLS
from services_registry.models import Function

COLUMNS = (
    "function", "account", "region", "owner", "calls_per_day", "busy_share", "p95_ms", "cold_share", "usd_a_month", "way",
    "gain_usd_a_month", "server", "servers", "server_usd_a_month", "arm64_usd_a_month", "memory_mb", "memory_usd_a_month",
)  # fmt: skip


@login_required
@require_GET
def what_if(request: HttpRequest, pk: int) -> HttpResponse:
    """One function with the assumptions of the address."""
    function = get_object_or_404(Function, pk=pk)
    form = AssumptionsForm(request.GET)
    found = answer_of(function, form.assumptions())
    context = {
        "function": function, "form": form, "found": found, "assumed": form.assumptions(), "usual": form.is_usual(),
        **(_shown(found) if found else {}),
    }  # fmt: skip
    return render(request, "costs/what_if.html", context, status=200 if form.is_valid() else 400)


def _shown(found: Answer) -> dict[str, object]:
    today = timezone.now().astimezone(UTC).date()
    return {
        "verdict": page.verdict(found), "hints": page.hints(found), "figure": page.figure(found), "sizes": page.sizes(found),
        "servers": page.servers(found), "sample": found.use.sample, "calls_per_day": page.calls_text(found.use.calls_per_day),
        "at_once": [page.calls_text(load) for load in (found.use.load, found.use.peak_load)], "architectures": ARCHITECTURES,
        "eur": None if found.usd is None else in_currency(found.usd, "EUR", today), "least_calls": LEAST_CALLS,
    }  # fmt: skip


@login_required
@require_GET
def what_if_fragment(request: HttpRequest, pk: int) -> HttpResponse:
    """The verdict with the usual assumptions, for the page of a function."""
    function = get_object_or_404(Function, pk=pk)
    found = answer_of(function, USUAL)
    context = {"function": function, "found": found, "verdict": page.verdict(found) if found else None}
    return render(request, "costs/_what_if_panel.html", context)


@login_required
@require_GET
def what_if_list(request: HttpRequest) -> HttpResponse:
    """Every function that was called in the last 30 days, by money to win."""
    way = request.GET.get("way", "")
    rows = KeysetPage.of(_rows(request.GET), order=["-gain", "-pk"], request=request)
    for row in rows.rows:
        row.tone = WAY_TONES[WayOut(row.way)]  # type: ignore[attr-defined]  # for the template
    latest = WhatIf.objects.order_by("-gain", "-pk").first()
    context = {
        "page": rows, "way": way, "ways": WayOut.choices, "as_of": latest.as_of if latest else None,
        "query": request.GET.urlencode(), "sample": any(row.sample for row in rows.rows),
    }  # fmt: skip
    return render(request, "costs/what_if_list.html", context)


def _rows(query: QueryDict) -> QuerySet[WhatIf]:
    wanted = ("function__name", "function__owner", "function__account", "function__region", "function__memory_mb")
    rows = WhatIf.objects.select_related("function").only(*(field.name for field in WhatIf._meta.fields), *wanted)
    return rows.filter(way=query["way"]) if query.get("way") in WayOut.values else rows


@login_required
@require_GET
def what_if_csv(request: HttpRequest) -> HttpResponseBase:
    rows = (_csv_row(row) for row in _rows(request.GET).order_by("-gain", "-pk").iterator(chunk_size=500))
    return csv_response(f"what-if-{timezone.localdate():%Y-%m-%d}.csv", COLUMNS, rows)


def _csv_row(row: WhatIf) -> tuple[object, ...]:
    function = row.function
    return (
        function.name, function.account, function.region, function.owner, row.calls_per_day, row.busy_share, row.p95_ms,
        row.cold_share, plain(row.usd), row.way, plain(row.gain), row.server, row.servers or None, plain(row.server_usd),
        plain(row.arm_usd), row.memory_mb, plain(row.memory_usd),
    )  # fmt: skip
