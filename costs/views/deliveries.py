"""Cost per delivery: over time, by carrier and kind of work, and what is behind a day."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.csv_stream import csv_response
from core.pagination import KeysetPage
from core.timerange import TimeRange
from costs.choices import Step
from costs.models import UnitDay
from costs.unit_costs import page
from costs.unit_costs.behind import batches_of, shares_of
from costs.unit_costs.reading import CARRIER, KIND, Asked, together, work_of
from services_registry.models import Batch
from shipments.models import Carrier


@login_required
@require_GET
def unit_costs(request: HttpRequest) -> HttpResponse:
    asked, period, by = _asked_for(request.GET)
    rows, found = page.stretches(asked), work_of(asked, by)
    carriers, kinds = Carrier.objects.in_bulk(), page.kind_names()
    whole, beside = together(row.work for row in rows), page.besides_together(row.beside for row in rows)
    behind = _behind_query(asked)
    context = {
        "period": period, "asked": asked, "by": by, "rows": rows[::-1], "whole": whole, "beside": beside,
        "groups": page.groups(found, by, carriers), "attributed": page.share_attributed(whole, beside),
        "each_figure": page.per_delivery_figure(found, by, carriers, [row.start for row in rows]),
        "money_figure": page.money_figure(rows, asked), "carriers": sorted(carriers.values(), key=lambda row: row.name),
        "kinds": sorted(kinds.items(), key=lambda pair: pair[1]), "known_kind": asked.kind in kinds, "steps": Step.choices,
        "ways": ((CARRIER, _("carrier")), (KIND, _("kind of work"))),
        "weeks_only": request.GET.get("step") == Step.DAY and asked.step == Step.WEEK,
        "as_of": UnitDay.objects.order_by("-day").first(), "query": request.GET.urlencode(),
        "kept": {name: value for name, value in request.GET.items() if name in {"range", "from", "to"}},
        "sample": whole.sample or beside.sample, "behind": behind,
        "links": f"{reverse('unit-cost-behind')}?{behind}&at=",
    }  # fmt: skip
    return render(request, "costs/unit_costs.html", context)


def _asked_for(query: QueryDict, longest: int = page.DAYS_FOR_WEEKS) -> tuple[Asked, TimeRange, str]:
    try:
        return page.asked_for(query, longest=longest)
    except Carrier.DoesNotExist as error:
        raise Http404(_("There is no carrier of this code.")) from error


def _behind_query(asked: Asked) -> str:
    """What the rows behind a bar are asked with, but for the day itself."""
    given = {"step": asked.step.value, "carrier": asked.carrier.code if asked.carrier else "", "kind": asked.kind}
    return urlencode({name: value for name, value in given.items() if value})


@login_required
@require_GET
def unit_costs_csv(request: HttpRequest) -> HttpResponseBase:
    """Every day or week of the range by carrier or kind of work."""
    asked, _period, by = _asked_for(request.GET, longest=page.ANY_LENGTH)
    return csv_response(f"cost-per-delivery-{timezone.localdate():%Y-%m-%d}.csv", page.COLUMNS, page.rows_of(asked, by))


@login_required
@require_GET
def behind(request: HttpRequest) -> HttpResponse:
    """The batches behind a day; a week is shown as its days."""
    day, carrier, kind = _day_of(request.GET), _carrier_of(request.GET), request.GET.get("kind", "")
    if request.GET.get("step") == Step.WEEK:
        days = {"range": "custom", "from": str(day), "to": str(day + timedelta(days=6)), "step": Step.DAY.value}
        more = {"carrier": carrier.code if carrier else "", "kind": kind}
        return redirect(f"{reverse('unit-costs')}?{urlencode({k: v for k, v in {**days, **more}.items() if v})}")
    asked = Asked(day, day, Step.DAY, carrier, kind)
    rows = batches_of(day, carrier, asked.kind)
    stretch = next(iter(page.stretches(asked)), None)
    context = {
        "day": day, "asked": asked, "kind_label": page.kind_names().get(asked.kind, asked.kind), "stretch": stretch,
        "page": KeysetPage.of(rows, order=["-usd", "-other_usd", "-pk"], request=request), "kinds": page.kind_names(),
        "sample": stretch is not None and stretch.work.sample,
    }  # fmt: skip
    return render(request, "costs/unit_cost_day.html", context)


@login_required
@require_GET
def behind_batch(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The deliveries of a batch with their shares of a day."""
    batch = get_object_or_404(Batch, pk=pk)
    day, carrier = _day_of(request.GET), _carrier_of(request.GET)
    position = request.GET.get("position", "0")
    shares = shares_of(batch, day, carrier, int(position) if position.isdecimal() else 0)
    return render(
        request, "costs/unit_cost_batch.html", {"batch": batch, "day": day, "carrier": carrier, "shares": shares}
    )


def _day_of(query: QueryDict) -> date:
    try:
        return date.fromisoformat(query.get("at", ""))
    except ValueError as error:
        raise Http404(_("Say which day: ?at=2026-11-30.")) from error


def _carrier_of(query: QueryDict) -> Carrier | None:
    return get_object_or_404(Carrier, code=query["carrier"]) if query.get("carrier") else None
