"""The cost page and the fragments that pages of lower apps load."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core import charts
from core.timerange import time_range
from costs import selectors
from costs.batch_costs import against_plan, bill_of
from costs.choices import Meter
from costs.estimate import exact_sum, in_currency
from costs.models import Price
from services_registry import capabilities
from services_registry.models import Batch
from shipments.models import Shipment

TOP = 25
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: a name with its amount and its share of the whole (0 to 1)."""

    name: str
    amount: selectors.Amount
    share: float | None
    function_id: int | None = None


@require_GET
def cost_page(request: HttpRequest) -> HttpResponse:
    period = time_range(request.GET, default="30d")
    report = selectors.cost_report(*selectors.days_of(period))
    ranked = sorted(report.functions.items(), key=lambda pair: (-pair[1].usd, pair[0].name))
    total = report.total.usd
    lines = _account_lines(report)
    context = {
        "period": period,
        "report": report,
        "figure": trend_figure(report),
        "functions": [*(Line(f.name, amount, _share(amount.usd, total), f.pk) for f, amount in ranked[:TOP]), *lines],
        "function_count": len(ranked),
        "top": TOP,
        "tables": [
            (_("By owner"), _("Owner"), _lines(report.grouped("owner"), total) + lines),
            (_("By capability"), _("Capability"), _lines(report.grouped("capability"), total) + lines),
        ],
        "price": Price.objects.filter(meter=Meter.GB_SECOND, checked_on__isnull=False).order_by("-checked_on").first(),
        "rate": selectors.RateBook().on(report.last),
    }
    return render(request, "costs/cost_page.html", context)


def trend_figure(report: selectors.CostReport) -> charts.Figure | None:
    """The dearest functions by day, stacked; five significant digits are enough for a drawing."""
    days, series = selectors.series_of(report)
    if not days:
        return None
    drawn = {name: [None if usd is None else float(f"{usd:.5g}") for usd in values] for name, values in series.items()}
    return charts.bars(days, drawn, y_title="USD")


def _lines(groups: Mapping[str, selectors.Amount], total: Decimal) -> list[Line]:
    ranked = sorted(groups.items(), key=lambda pair: (-pair[1].usd, pair[0]))
    return [Line(name or _("(none)"), amount, _share(amount.usd, total)) for name, amount in ranked]


def _account_lines(report: selectors.CostReport) -> list[Line]:
    """What accounts need not pay, after everything that functions cost."""
    return [
        Line(_("%(what)s of %(account)s") % {"what": kind.label, "account": account}, amount, None)
        for (account, kind), amount in sorted(report.lines.items())
    ]


def _share(part: Decimal, whole: Decimal) -> float | None:
    return float(part / whole) if whole else None


@require_GET
def batch_fragment(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What one batch has cost so far, and what was planned, for its page."""
    batch = get_object_or_404(Batch, pk=pk)
    bill = bill_of(batch)
    day = batch.created.astimezone(UTC).date()
    context = {
        "batch": batch, "usd": bill.usd, "eur": in_currency(bill.usd, "EUR", day), "unbilled": bill.unbilled,
        "per_item": bill.usd / batch.settled if batch.settled else None, "against": against_plan(batch, bill),
    }  # fmt: skip
    return render(request, "costs/_batch_cost.html", context)


@require_GET
def shipment_fragment(request: HttpRequest, pk: int) -> HttpResponse:
    """What the work on one shipment cost, by kind of work, for its page."""
    shipment = get_object_or_404(Shipment, pk=pk)
    parts = selectors.shipment_costs(shipment.pk)
    kinds: defaultdict[str, list[Decimal]] = defaultdict(list)
    for part in parts:
        kinds[part.capability].append(part.usd)
    labels = {kind.slug: str(kind.label) for kind in capabilities.all_capabilities()}
    rows = [(labels.get(slug, slug), len(costs), exact_sum(costs)) for slug, costs in sorted(kinds.items())]
    usd = exact_sum(part.usd for part in parts)
    context = {"shipment": shipment, "rows": rows, "usd": usd, "eur": in_currency(usd, "EUR", _today())}
    return render(request, "costs/_shipment_cost.html", context)


@require_GET
def home_panel(request: HttpRequest) -> HttpResponse:
    """The last seven whole UTC days against the seven before."""
    today = _today()
    week = selectors.cost_report(today - WEEK, today - timedelta(days=1))
    before = selectors.cost_report(today - 2 * WEEK, today - WEEK - timedelta(days=1))
    context: dict[str, Any] = {
        "week": week,
        "before": before,
        "change": _share(week.total.usd - before.total.usd, before.total.usd),
        "spark": [week.days[day].usd if day in week.days else None for day in _days(week)],
    }
    return render(request, "costs/_home_panel.html", context)


def _days(report: selectors.CostReport) -> list[Any]:
    return [report.first + timedelta(days=step) for step in range((report.last - report.first).days + 1)]


def _today() -> Any:
    return timezone.now().astimezone(UTC).date()
