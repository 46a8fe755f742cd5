"""Saved views of the list of deliveries: open, save, change, delete. Views belong to people, so every role may."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core import saved_views
from core.errors import RefusedError
from core.models import SavedView
from shipments.listing.columns import columns_of
from shipments.listing.page import LIST_NAME, REMEMBERED


@login_required
@require_GET
def open_view(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The address that people share: leads to the list as the view says now."""
    view = get_object_or_404(saved_views.visible_to(request.user, LIST_NAME), pk=pk)
    return redirect(_list(f"{view.query}&view={view.pk}" if view.query else f"view={view.pk}"))


@login_required
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep what the list shows now under a name."""
    query, shared = request.POST.get("query", ""), bool(request.POST.get("shared"))
    try:
        view = saved_views.save_view(
            owner=request.user, list_name=LIST_NAME, name=request.POST.get("name", ""), query=query, shared=shared
        )
    except RefusedError as error:
        messages.error(request, error.message)
        return redirect(_list(saved_views.query_of(query)))
    messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})
    return redirect("shipment-view", pk=view.pk)


@login_required
@require_POST
def change(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Rename or share one's own view; `keep` also lets it show what the list shows now."""
    view = get_object_or_404(SavedView, pk=pk, owner_id=request.user.pk, list_name=LIST_NAME)
    query = request.POST.get("query", "") if request.POST.get("keep") else None
    try:
        saved_views.change_view(
            view, name=request.POST.get("name", ""), shared=bool(request.POST.get("shared")), query=query
        )
    except RefusedError as error:
        messages.error(request, error.message)
    return redirect("shipment-view", pk=view.pk)


@login_required
@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    view = get_object_or_404(SavedView, pk=pk, owner_id=request.user.pk, list_name=LIST_NAME)
    view.delete()
    messages.success(request, _("The view “%(name)s” is deleted.") % {"name": view.name})
    return redirect(_list(view.query))


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
    return redirect(_list(query.urlencode()))


def _list(query: str) -> str:
    return f"{reverse('shipment-list')}?{query}" if query else reverse("shipment-list")
