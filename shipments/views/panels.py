"""Panels of the home page. They read counted numbers (`shipments.rollups`) and say how old these are."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from core.access import operator_required
from core.htmx import is_fragment
from shipments.models import UnmappedCode
from shipments.rollups import ask_refresh, numbers, today
from shipments.tasks import refresh_home

REFRESHED = "home-refreshed"
"""The event at which the page loads its panels again (`app.js`)."""
PATIENCE = timedelta(seconds=60)


def _panel(request: HttpRequest, template: str, *parts: str, **context: object) -> HttpResponse:
    return render(request, template, {"fresh": numbers.freshness(*parts), **context})


@login_required
@require_GET
def late(request: HttpRequest) -> HttpResponse:
    return _panel(request, "shipments/_home_late.html", "open", panel=numbers.late(), may_ask=True)


@login_required
@require_GET
def silent(request: HttpRequest) -> HttpResponse:
    return _panel(request, "shipments/_home_silent.html", "open", panel=numbers.silent())


@login_required
@require_GET
def to_sort_out(request: HttpRequest) -> HttpResponse:
    codes = UnmappedCode.objects.count() if request.user.has_perm("core.operate") else None
    lines = numbers.to_sort_out(codes)
    return _panel(request, "shipments/_home_to_sort_out.html", "proofs", "messages", "unmapped", lines=lines)


@login_required
@require_GET
def exceptions(request: HttpRequest) -> HttpResponse:
    return _panel(request, "shipments/_home_exceptions.html", "open", matrix=numbers.exceptions())


@login_required
@require_GET
def against_usual(request: HttpRequest) -> HttpResponse:
    fresh = numbers.freshness("hours")
    context = {"fresh": fresh, "panel": today.today(fresh.as_of) if fresh.as_of else None}
    return render(request, "shipments/_home_today.html", context)


@operator_required
@require_POST
def refresh(request: HttpRequest) -> HttpResponse:
    """Have everything counted now; asked again within seconds, the count under way is the answer."""
    asked = timezone.now()
    if ask_refresh():
        transaction.on_commit(lambda: refresh_home.delay(everything=True))
    if not is_fragment(request):
        return redirect("home")
    return _waiting(request, asked)


@operator_required
@require_GET
def refreshing(request: HttpRequest) -> HttpResponse:
    """What the page asks every other second after that; ends when everything was counted, or after a minute."""
    asked = parse_datetime(request.GET.get("since", "").replace(" ", "+")) or timezone.now()
    if timezone.is_naive(asked) or timezone.now() - asked > PATIENCE:
        return render(request, "shipments/_home_waiting.html", {"gave_up": True})
    if not numbers.counted_since(asked):
        return _waiting(request, asked)
    answer = render(request, "shipments/_home_waiting.html", {"done": True})
    answer.headers["HX-Trigger"] = REFRESHED
    return answer


def _waiting(request: HttpRequest, asked: datetime) -> HttpResponse:
    address = f"{reverse('home-refreshing')}?since={asked.isoformat().replace('+', '%2B')}"
    return render(request, "shipments/_home_waiting.html", {"address": address})
