"""Cost anomalies: the list, one taken apart, and marking it as explained."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core import charts
from core.access import operator_required
from core.csv_stream import csv_response
from core.errors import RefusedError
from core.pagination import KeysetPage
from costs.anomalies import services
from costs.anomalies.choices import TONES, AnomalyState
from costs.anomalies.telling import name_of, parts_of
from costs.behind import days_of_function
from costs.models import CostAnomaly
from costs.sums import month_before, month_of
from costs.views.overview import plain
from services_registry.finding_page import open_of

ORDER = ["-day", "-delta", "-id"]


def filtered(query: Any) -> QuerySet[CostAnomaly]:
    """`?state=`, `?function=`, `?day=`; the same for page, CSV and API."""
    rows = CostAnomaly.objects.select_related("function", "revision")
    state = query.get("state", AnomalyState.OPEN)
    if state in AnomalyState.values:
        rows = rows.filter(state=state)
    if query.get("function", "").isdecimal():
        rows = rows.filter(function=int(query["function"][:18]))
    return rows


@require_GET
def anomaly_list(request: HttpRequest) -> HttpResponseBase:
    rows = filtered(request.GET)
    if request.GET.get("format") == "csv":
        header = [
            "day",
            "function_or_service",
            "basis",
            "currency",
            "actual",
            "expected",
            "difference",
            "state",
            "reason",
        ]
        return csv_response("cost-anomalies.csv", header, (_csv(row) for row in rows.order_by(*ORDER).iterator(500)))
    page = KeysetPage.of(rows, order=ORDER, request=request)
    for row in page.rows:
        dress(row)
    state = request.GET.get("state", AnomalyState.OPEN)
    states = [
        {"label": label, "url": f"?{urlencode({'state': value})}", "on": state == value}
        for value, label in [*AnomalyState.choices, ("all", _("all"))]
    ]
    return render(request, "costs/anomaly_list.html", {"page": page, "states": states, "state": state})


def _csv(row: CostAnomaly) -> tuple[Any, ...]:
    return (row.day, name_of(row), row.basis, row.currency, plain(row.actual), plain(row.expected), plain(row.delta),
            row.state, row.reason)  # fmt: skip


def dress(row: CostAnomaly) -> CostAnomaly:
    """With what templates show of it."""
    shown: Any = row
    parts = parts_of(row)
    shown.tone, shown.title = TONES[row.state], name_of(row)
    shown.is_open, shown.is_dismissed = row.state == AnomalyState.OPEN, row.state == AnomalyState.DISMISSED
    shown.estimate, shown.cause = row.basis == "estimated", parts[0] if parts else None
    return row


@require_GET
def anomaly_detail(request: HttpRequest, pk: int) -> HttpResponse:
    row = dress(get_object_or_404(CostAnomaly.objects.select_related("function", "revision"), pk=pk))
    context = {
        "row": row, "parts": parts_of(row), "facts": _facts(row), "figure": _figure(row),
        "findings": open_of(row.function_id) if row.function_id else [],
        "rows_url": f"{reverse('cost-rows')}?{urlencode({**_of(row), 'month': f'{row.day:%Y-%m}'})}",
    }  # fmt: skip
    return render(request, "costs/anomaly_detail.html", context)


def _of(row: CostAnomaly) -> dict[str, Any]:
    return {"function": row.function_id} if row.function_id else {"service": row.service}


def _facts(row: CostAnomaly) -> list[tuple[str, float, float]]:
    """(what, usually, on that day)."""
    labels = {
        "calls": _("calls"), "failed": _("failed calls"), "timeouts": _("time-outs"),
        "ms_per_call": _("billed ms a call"), "memory_mb": _("memory, MB"),
    }  # fmt: skip
    return [(labels[name], *row.facts[name]) for name in labels if name in row.facts]


def _figure(row: CostAnomaly) -> charts.Figure | None:
    """The weeks around it, with the usual range of its weekday."""
    if row.function is None:
        return None
    month = month_of(row.day)
    lines = [line for one in (month_before(month), month) for line in days_of_function(row.function, one)]
    around = (row.day - timedelta(days=35), row.day + timedelta(days=14))
    shown = sorted((line for line in lines if around[0] <= line.day <= around[1]), key=lambda line: line.day)
    if not shown:
        return None
    figure = charts.bars(
        [line.day for line in shown], {str(_("cost")): [float(line.amount.usd) for line in shown]}, y_title="USD"
    )
    figure["layout"]["showlegend"] = False
    return charts.with_limit(figure, float(row.high), str(_("usual, at most")))


@operator_required
@require_POST
def anomaly_dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(CostAnomaly, pk=pk)
    try:
        services.dismiss(row, reason=request.POST.get("reason", ""), actor=request.user)
        messages.success(request, _("Marked as explained."))
    except RefusedError as error:
        messages.error(request, error.message)
    return redirect("cost-anomaly", pk=pk)


@operator_required
@require_POST
def anomaly_reopen(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(CostAnomaly, pk=pk)
    try:
        services.reopen(row, actor=request.user)
        messages.success(request, _("It is open again."))
    except RefusedError as error:
        messages.error(request, error.message)
    return redirect("cost-anomaly", pk=pk)
