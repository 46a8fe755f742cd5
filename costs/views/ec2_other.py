"""EC2-Other, explained: the page, the lines of the bill behind it, and its table as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from core import charts
from core.csv_stream import csv_response
from core.pagination import KeysetPage
from costs.billed import SAMPLE_DOOR
from costs.ec2_other import reading
from costs.ec2_other.choices import BASIS_TONES, Basis, UsageKind
from costs.ec2_other.mapping import Mapping, code_of
from costs.ec2_other.page import Explained, explain, series
from costs.ec2_other.reading import Line
from costs.imports.shapes import plain

TOP = 25
CSV_HEADER = ("month", "currency", "kind", "function", "account", "region", "basis", "amount", "why")


@login_required
@require_GET
def ec2_other(request: HttpRequest) -> HttpResponse:
    found = explain(request.GET)
    if found is None:
        return render(request, "costs/ec2_other_empty.html")
    return render(request, "costs/ec2_other.html", page_context(found))


def page_context(found: Explained) -> dict[str, Any]:
    functions = found.functions()
    rows = f"{reverse('ec2-other-rows')}?currency={found.currency}&"
    days = reading.day_lines(found.month, found.mapping)
    return {
        "found": found, "kinds": found.kinds(), "elsewhere": found.elsewhere(), "unmapped": found.unmapped(),
        "functions": functions[:TOP], "function_count": len(functions), "top": TOP, "rest": found.rest(),
        "by_month": figure_of(found.trend), "month_links": f"{rows}by=month&at=",
        "by_day": figure_of(line for line in days if line.currency == found.currency), "day_links": f"{rows}by=day&at=",
        "bases": [(basis.label, BASIS_TONES[basis], found.part(basis), _share(found.part(basis), found.billed))
                  for basis in (Basis.MEASURED, Basis.ALLOCATED, Basis.NOT_ATTRIBUTED)],
        "change": _share(found.billed - found.before, found.before),
    }  # fmt: skip


def _share(part: Decimal, whole: Decimal) -> float | None:
    return float(part / whole) if whole else None


def figure_of(lines: Iterable[Line]) -> charts.Figure | None:
    """The five dearest kinds and the rest, stacked; five significant digits are enough for a drawing."""
    lines = list(lines)
    times, found = series(lines)
    if not times:
        return None
    drawn = {
        str(kind.label) if kind else "other": [None if value is None else float(f"{value:.5g}") for value in values]
        for kind, values in found.items()
    }
    return charts.bars(times, drawn, y_title=lines[0].currency)


@login_required
@require_GET
def ec2_other_rows(request: HttpRequest) -> HttpResponse:
    """The lines of the bill behind a bar or a kind."""
    by_day, at = request.GET.get("by") == "day", _day(request.GET.get("at", ""))
    months = reading.months_with_bills()
    month = (at or (months[0] if months else timezone.now().date())).replace(day=1)
    kind = request.GET.get("kind", "")
    mapping = Mapping()
    rows = reading.rows_of(month, kind if kind in UsageKind else "", mapping, at if by_day and at else None)
    if currency := request.GET.get("currency", ""):
        rows = rows.filter(currency=currency)
    rows = rows.select_related("cost_import")
    page = KeysetPage.of(rows, order=["-billed_cost", "-id"], request=request)
    context = {
        "page": page, "kind": UsageKind(kind) if kind in UsageKind else None, "month": month,
        "day": at if by_day else None, "sample": any(row.cost_import.door == SAMPLE_DOOR for row in page),
        "rows": [(row, _kind_of(row, mapping), plain(row.billed_cost)) for row in page],
    }  # fmt: skip
    return render(request, "costs/ec2_other_rows.html", context)


def _kind_of(row: Any, mapping: Mapping) -> UsageKind:
    code = code_of(row.service, row.service_code)
    return mapping.kind(code, row.usage_type, reading.last_day(row.day.replace(day=1)), row.charge_category)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01" if len(text) == 7 else text)
    except ValueError:
        return None


@login_required
@require_GET
def ec2_other_csv(request: HttpRequest) -> HttpResponseBase:
    """Every part of the month: by kind and function, with how it is known. Adds up to what was billed."""
    found = explain(request.GET)
    name = f"ec2-other-{found.month:%Y-%m}.csv" if found else "ec2-other.csv"
    return csv_response(name, CSV_HEADER, _parts(found) if found else [])


def _parts(found: Explained) -> Iterator[tuple[Any, ...]]:
    for part in found.split.parts:
        place = part.function
        yield (
            f"{found.month:%Y-%m}", found.currency, part.kind.value, place.name if place else "",
            place.account if place else "", place.region if place else "", part.basis.value, plain(part.amount),
            part.why,
        )  # fmt: skip
