"""Where measured numbers come from: the doors, and the lines that were refused."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core.pagination import KeysetPage, capped_count
from core.timerange import time_range
from services_registry.cross_check import cross_check, hot_functions, own_calls
from services_registry.models import RejectedLine
from services_registry.telemetry_page import RejectedLineFilter, coming_in, doors, reading_problems
from services_registry.views.metrics import HotForm


@login_required
@require_GET
def telemetry(request: HttpRequest) -> HttpResponse:
    period = time_range(request.GET, default="7d")
    rejected = RejectedLine.objects.all()
    filters = RejectedLineFilter(request.GET, queryset=rejected)
    found = filters.qs if filters.is_valid() else rejected.none()
    count, more = capped_count(found)
    context = {
        "period": period, "doors": doors(period), "figure": coming_in(period), "problems": list(reading_problems()),
        "filters": filters, "page": KeysetPage.of(found, order=["-at", "-id"], request=request), "count": count,
        "more": more,
        "check": cross_check(period), "hot": hot_functions(), "hot_form": HotForm(), "own": own_calls(),
        "filtered": any(request.GET.get(name) for name in filters.form.fields),
        "report_days": settings.REPORT_DAYS, "key_days": settings.REPORT_KEY_DAYS,
    }  # fmt: skip
    return render(request, "services_registry/telemetry.html", context, status=200 if filters.is_valid() else 400)
