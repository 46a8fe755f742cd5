"""Saved views of the list of deliveries, and the choice of its columns."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from core import saved_views
from shipments.listing.columns import columns_of
from shipments.listing.page import REMEMBERED, VIEWS


@login_required
@require_POST
def choose_columns(request: HttpRequest) -> HttpResponse:
    """Show these columns in this order, and remember them for the person's next visits."""
    chosen = [column.name for column in columns_of(request.POST.getlist("columns"))]
    if request.POST.get("usual"):
        chosen = []
    request.session[REMEMBERED] = chosen
    query = QueryDict(saved_views.query_of(request.POST.get("query", "")), mutable=True)
    query.setlist("columns", chosen)
    return redirect(VIEWS.address(query.urlencode()))
