"""The fleet page: the charts of a function's page over all functions together."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from services_registry.fleet_page import page_of


@login_required
@require_GET
def fleet(request: HttpRequest) -> HttpResponse:
    return render(request, "services_registry/fleet.html", page_of(request))
