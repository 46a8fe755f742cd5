"""The overview: where this month stands, and what it consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.csv_stream import csv_response
from costs.anomalies.choices import TONES as ANOMALY_TONES
from costs.anomalies.choices import AnomalyState
from costs.billed import has_sample
from costs.billed_month import billed_figure, billed_month
from costs.budgets.choices import TONES, Basis, Currency
from costs.models import CostAnomaly
from costs.overview import GROUPS, Overview, Part, course_figure, day_figure, dearest, overview
from costs.report.figures import label_of
from costs.views.asked import Asked, asked

TOP, ANOMALIES = 15, 5
LATELY = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table with the address of the rows behind it."""

    name: str
    part: Part
    share: float | None
    url: str


@require_GET
def overview_page(request: HttpRequest) -> HttpResponse:
    said = asked(request)
    shown = overview(said.month, said.today, said.currency)
    context = {
        "asked": said, "shown": shown, "currencies": Currency.values, "day_figure": day_figure(shown),
        "course_figure": course_figure(shown), "tables": [_table(shown, name, said) for name in GROUPS],
        "functions": dearest(said.month, said.currency, limit=TOP), "top": TOP, "rows_url": reverse("cost-rows"),
        "billed": (bill := billed_month(said.month)), "billed_figure": billed_figure(bill) if bill else None,
        "billed_sample": bill is not None and has_sample(bill.month, bill.last),
        "anomalies": _anomalies(said), "budgets": dressed(shown.budgets), "query": said.query,
    }  # fmt: skip
    return render(request, "costs/overview.html", context)


def _table(shown: Overview, name: str, said: Asked) -> dict[str, Any]:
    lines = lines_of(shown.groups.get(name, {}), shown.total.spent, name, said)
    titles = {"capability": _("By capability"), "owner": _("By owner"), "account": _("By account")}
    headings = {"capability": _("Capability"), "owner": _("Owner"), "account": _("Account")}
    return {"name": name, "title": titles[name], "heading": headings[name], "lines": lines}


def lines_of(groups: Mapping[str, Part], total: Decimal | None, name: str, said: Asked) -> list[Line]:
    ranked = sorted(groups.items(), key=lambda pair: (-(pair[1].spent or Decimal(0)), pair[0]))
    return [Line(label_of(key), part, _share(part.spent, total), _behind(key, name, said)) for key, part in ranked]


def _behind(key: str, name: str, said: Asked) -> str:
    if key.startswith("line:"):
        return ""
    return f"{reverse('cost-rows')}?{urlencode({name: key})}{'&' if said.query else ''}{said.query}"


def _share(part: Decimal | None, whole: Decimal | None) -> float | None:
    return float(part / whole) if part is not None and whole else None


def dressed(standings: list[Any]) -> list[dict[str, Any]]:
    """Budgets with what their templates show."""
    return [
        {
            "standing": one, "tone": TONES[one.standing], "label": one.standing.label,
            "estimate": one.budget.basis == Basis.ESTIMATED,
        }
        for one in standings
    ]  # fmt: skip


def _anomalies(said: Asked) -> list[CostAnomaly]:
    """The latest open ones, while they are news."""
    rows = CostAnomaly.objects.filter(state=AnomalyState.OPEN, day__gte=said.today - LATELY).select_related("function")
    found = list(rows[:ANOMALIES])
    for row in found:
        dressed_row: Any = row
        dressed_row.tone = ANOMALY_TONES[row.state]
    return found


@require_GET
def overview_csv(request: HttpRequest) -> HttpResponseBase:
    """`?by=capability|owner|account|function|day|service`: one table of the page, with all of its rows and exact amounts."""
    said, by = asked(request), request.GET.get("by", "")
    name = f"costs-{said.month:%Y-%m}-by-{by}.csv"
    if by == "function":
        header = ["function", "owner", "capability", f"estimated_{said.currency}", "change_same_days", "invocations"]
        lines = dearest(said.month, said.currency)
        rows = ((one.name, one.owner, one.capability, plain(one.spent), one.change, one.invocations) for one in lines)
        return csv_response(name, header, rows)
    if by == "service":
        bill = billed_month(said.month)
        services = (
            (one.service, one.currency, plain(one.cost), plain(one.before)) for one in (bill.lines if bill else ())
        )
        return csv_response(name, ["service", "currency", "billed", "same_days_month_before"], services)
    shown = overview(said.month, said.today, said.currency)
    if by == "day":
        days = ((day, plain(value)) for day, value in sorted(shown.days.items()))
        return csv_response(name, ["day_utc", f"estimated_{said.currency}"], days)
    if by not in GROUPS:
        return HttpResponse(
            _("Say ?by=capability, owner, account, function, day or service."), status=400, content_type="text/plain"
        )
    header = [by, f"estimated_{said.currency}", "whole_days", "same_days_month_before", "change"]
    groups = lines_of(shown.groups.get(by, {}), shown.total.spent, by, said)
    return csv_response(name, header, (_csv_row(line) for line in groups))


def _csv_row(line: Line) -> tuple[Any, ...]:
    part = line.part
    return line.name, plain(part.spent), plain(part.whole), plain(part.before), part.change


def plain(value: Decimal | None) -> str | None:
    """Exact, without an exponent and without zeros that say nothing."""
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
