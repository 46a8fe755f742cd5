"""Estimated against billed: the page of a month, one function's bridge, CSV, and reckoning anew."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core import charts
from core.access import operator_required
from core.csv_stream import csv_response
from costs.billed import Asked, billed
from costs.ec2_other.reading import month_after, months_with_bills
from costs.imports.shapes import plain
from costs.models import Reconciliation
from costs.reconciliation.choices import WORDS, Reason
from costs.reconciliation.page import Line, Reconciled, past_of, reasons_of, reconciled, steps
from costs.reconciliation.refresh import reconcile
from services_registry.models import Function

TOP = 50


@login_required
@require_GET
def reconciliation(request: HttpRequest) -> HttpResponse:
    found = reconciled(request.GET)
    if found.month is None:
        return render(request, "costs/reconciliation_empty.html", {"bills": months_with_bills(1)})
    lines = found.lines if request.GET.get("all") else found.lines[:TOP]
    context = {
        "found": found, "lines": lines, "count": len(found.lines), "top": TOP,
        "steps": [(reason, WORDS[reason], amount, so_far) for reason, amount, so_far in
                  steps(found.estimated, found.reasons)],
        "gap_share": float(found.gap / found.estimated) if found.estimated else None,
    }  # fmt: skip
    return render(request, "costs/reconciliation.html", context)


@login_required
@require_GET
def reconciliation_function(request: HttpRequest, pk: int) -> HttpResponse:
    """One function's month: the bridge from the estimate to the bill, the lines behind it, and its other months."""
    row = get_object_or_404(Reconciliation.objects.select_related("function"), pk=pk)
    past = past_of(row)
    context = {
        "line": Line(row, reasons_of(row)), "row": row, "figure": figure_of(past), "past": past[::-1],
        "steps": [(reason, WORDS[reason], amount, so_far) for reason, amount, so_far in
                  steps(row.estimated, reasons_of(row))],
        "types": _types(row),
    }  # fmt: skip
    return render(request, "costs/reconciliation_function.html", context)


def _types(row: Reconciliation) -> list[Any]:
    """Sums of the bill that name this function, by usage type."""
    if row.function is None:
        return []
    where = {"resource": row.function.arn, "currency": row.currency}
    return billed(Asked(row.month, month_after(row.month), by=("usage_type", "unit", "charge_category"), where=where))


def figure_of(past: list[Line]) -> charts.Figure:
    months = [line.row.month for line in past]
    series = {
        "estimated": [float(f"{line.row.estimated:.5g}") for line in past],
        "billed": [float(f"{line.row.billed:.5g}") for line in past],
        _("unexplained"): [float(f"{line.row.rest:.5g}") for line in past],
    }
    return charts.bars(months, series, y_title=past[0].row.currency if past else "", stacked=False)


@login_required
@require_GET
def reconciliation_csv(request: HttpRequest) -> HttpResponseBase:
    found = reconciled(request.GET)
    header = ("month", "currency", "function", "region", "estimated", "billed", "effective", "gap",
              *(reason.value for reason in Reason), "rest", "allocated", "days_with_reports", "days_billed", "days_silent",
              "sample")  # fmt: skip
    name = f"reconciliation-{found.month:%Y-%m}.csv" if found.month else "reconciliation.csv"
    return csv_response(name, header, _rows(found))


def _rows(found: Reconciled) -> Iterator[tuple[Any, ...]]:
    known = (line.row.function_id for line in found.lines)
    regions = dict(Function.objects.filter(pk__in=[pk for pk in known if pk]).values_list("pk", "region"))
    for line in found.lines:
        row = line.row
        yield (
            f"{row.month:%Y-%m}", row.currency, row.name, regions.get(row.function_id or 0, ""),
            plain(row.estimated), plain(row.billed), None if row.effective is None else plain(row.effective),
            plain(line.gap), *(plain(line.reasons.get(reason, Decimal(0))) for reason in Reason), plain(row.rest),
            plain(row.allocated), row.days, row.days_billed, row.days_silent, row.sample,
        )  # fmt: skip


@operator_required
@require_POST
def reckon_again(request: HttpRequest) -> HttpResponse:
    wanted = request.POST.get("month", "")
    month = next((month for month in months_with_bills() if f"{month:%Y-%m}" == wanted), None)
    if month is None:
        messages.error(request, _("No bill tells of that month."))
        return redirect("reconciliation")
    count = reconcile(month, actor=request.user)
    messages.success(request, _("%(n)s rows of %(month)s were reckoned anew.") % {"n": count, "month": wanted})
    return redirect(f"{reverse('reconciliation')}?month={wanted}")
