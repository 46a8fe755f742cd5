"""The rows behind a bar of a cost page, on a page and as CSV."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.csv_stream import csv_response
from costs import behind
from costs.billed import grand_total
from costs.billed_month import usage_types
from costs.budgets.choices import Currency
from costs.models import CostAnomaly
from costs.overview import GROUPS, dearest
from costs.views.asked import Asked, asked, day_in
from costs.views.overview import plain
from services_registry.models import Function

MOST = 400
"""Lines on a page; the CSV has all of them."""


@require_GET
def rows_page(request: HttpRequest) -> HttpResponseBase:
    """`?function=` its days; `?service=` its usage types; `?day=` functions of that day; else functions of the month.

    Functions are those of a `capability`, an `owner`, an `account`, where named.
    """
    said = asked(request)
    chosen = {name: request.GET[name] for name in GROUPS if name in request.GET}
    if request.GET.get("function", "").isdecimal():
        return _function(request, said, int(request.GET["function"][:18]))
    if "service" in request.GET:
        return _service(request, said, request.GET["service"])
    if (day := day_in(request.GET.get("day", ""))) is not None:
        found = behind.functions_of_day(day, **chosen)
        lines = [
            {"pk": one.pk, "name": one.name, "owner": one.owner, "capability": one.capability, "invocations": calls,
             "spent": amount.eur if said.currency == Currency.EUR else amount.usd, "sample": amount.sample}
            for one, amount, calls in found
        ]  # fmt: skip
        return _functions(request, said, chosen, lines, f"{day:%Y-%m-%d}", {"day": f"{day}"})
    shown = dearest(said.month, said.currency, chosen)
    lines = [{name: getattr(one, name) for name in one.__slots__} for one in shown]
    return _functions(request, said, chosen, lines, f"{said.month:%Y-%m}", {})


def _functions(
    request: HttpRequest, said: Asked, chosen: dict[str, str], lines: list[dict[str, Any]], when: str, more: dict[str, str]
) -> HttpResponseBase:  # fmt: skip
    if request.GET.get("format") == "csv":
        header = ["function", "owner", "capability", f"estimated_{said.currency}", "invocations"]
        rows = (
            (row["name"], row["owner"], row["capability"], plain(row["spent"]), row["invocations"]) for row in lines
        )
        return csv_response(f"cost-rows-{when}.csv", header, rows)
    names = {"capability": _("capability"), "owner": _("owner"), "account": _("account")}
    context = {
        "asked": said, "lines": lines[:MOST], "count": len(lines), "when": when, "by_day": bool(more),
        "total": behind.sum_of([row["spent"] for row in lines]), "csv": _address(request, format="csv"),
        "chips": [
            {"label": f"{names[name]}: {value or _('(none)')}", "url": _address(request, drop=name)}
            for name, value in chosen.items()
        ],
    }  # fmt: skip
    return render(request, "costs/rows.html", context)


def _function(request: HttpRequest, said: Asked, pk: int) -> HttpResponseBase:
    function = get_object_or_404(Function, pk=pk)
    lines = behind.days_of_function(function, said.month)
    if request.GET.get("format") == "csv":
        header = [
            "day_utc",
            f"estimated_{said.currency}",
            "invocations",
            "failed",
            "timeouts",
            "cold_starts",
            "billed_ms",
        ]
        rows = (
            (
                one.day,
                plain(one.cost(said.currency)),
                one.invocations,
                one.errors,
                one.timeouts,
                one.cold_starts,
                one.billed_ms,
            )
            for one in lines
        )
        return csv_response(f"cost-{function.name}-{said.month:%Y-%m}.csv", header, rows)
    costs = [one.cost(said.currency) for one in lines]
    odd = {row.day: row.pk for row in CostAnomaly.objects.filter(function=function, day__gte=said.month)}
    context = {
        "asked": said, "function": function, "total": behind.sum_of(costs),
        "csv": _address(request, format="csv"),
        "days": [(one, cost, odd.get(one.day)) for one, cost in zip(lines, costs, strict=True)],
    }  # fmt: skip
    return render(request, "costs/function_rows.html", context)


def _service(request: HttpRequest, said: Asked, service: str) -> HttpResponseBase:
    """What bills say of a service, by usage type."""
    lines = usage_types(said.month, service)
    if request.GET.get("format") == "csv":
        header = ["usage_type", "region", "account", "category", "currency", "billed", "lines"]
        rows = ((*line.values, line.currency, plain(line.cost), line.lines) for line in lines)
        return csv_response(f"billed-{said.month:%Y-%m}.csv", header, rows)
    context = {
        "asked": said, "service": service, "lines": lines[:MOST], "count": len(lines),
        "totals": sorted(grand_total(lines).items()), "csv": _address(request, format="csv"),
    }  # fmt: skip
    return render(request, "costs/billed_rows.html", context)


def _address(request: HttpRequest, drop: str = "", **more: str) -> str:
    said = {name: value for name, value in request.GET.items() if name != drop} | more
    return f"{reverse('cost-rows')}?{urlencode(said)}"
