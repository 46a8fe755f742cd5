"""The pages behind saved views, for any list: open, save, change, delete. Views belong to people, so every role may."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core import saved_views
from core.errors import RefusedError
from core.models import SavedView


class SavedViewPages:
    """Of the list `list_name` at the address named `list_url`. `name` begins the names of the addresses made here."""

    def __init__(self, list_name: str, *, list_url: str, name: str) -> None:
        self._list_name, self._list_url = list_name, list_url
        self.names = {"open": name, "save": f"{name}-save", "change": f"{name}-change", "delete": f"{name}-delete"}
        """Names of the addresses, for `components/saved_views.html`."""

    def urls(self, prefix: str) -> list[URLPattern]:
        """Their addresses, below `prefix` (`deliveries/`)."""
        return [
            path(f"{prefix}views/", login_required(require_POST(self._save)), name=self.names["save"]),
            path(f"{prefix}view/<uuid:pk>/", login_required(require_GET(self._open)), name=self.names["open"]),
            path(
                f"{prefix}view/<uuid:pk>/change/", login_required(require_POST(self._change)), name=self.names["change"]
            ),
            path(
                f"{prefix}view/<uuid:pk>/delete/", login_required(require_POST(self._delete)), name=self.names["delete"]
            ),
        ]

    def address(self, query: str) -> str:
        """The list with this part behind the question mark."""
        return f"{reverse(self._list_url)}?{query}" if query else reverse(self._list_url)

    def _open(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The address that people share: leads to the list as the view says now."""
        view = get_object_or_404(saved_views.visible_to(request.user, self._list_name), pk=pk)
        return redirect(self.address(f"{view.query}&view={view.pk}" if view.query else f"view={view.pk}"))

    def _save(self, request: HttpRequest) -> HttpResponse:
        """Keep what the list shows now under a name."""
        query, shared = request.POST.get("query", ""), bool(request.POST.get("shared"))
        try:
            view = saved_views.save_view(
                owner=request.user, list_name=self._list_name, name=request.POST.get("name", ""), query=query,
                shared=shared,
            )  # fmt: skip
        except RefusedError as error:
            messages.error(request, error.message)
            return redirect(self.address(saved_views.query_of(query)))
        messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})
        return redirect(self.names["open"], pk=view.pk)

    def _change(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Rename or share one's own view; `keep` also lets it show what the list shows now."""
        view = get_object_or_404(SavedView, pk=pk, owner_id=request.user.pk, list_name=self._list_name)
        query = request.POST.get("query", "") if request.POST.get("keep") else None
        try:
            saved_views.change_view(
                view, name=request.POST.get("name", ""), shared=bool(request.POST.get("shared")), query=query
            )
        except RefusedError as error:
            messages.error(request, error.message)
        return redirect(self.names["open"], pk=view.pk)

    def _delete(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        view = get_object_or_404(SavedView, pk=pk, owner_id=request.user.pk, list_name=self._list_name)
        view.delete()
        messages.success(request, _("The view “%(name)s” is deleted.") % {"name": view.name})
        return redirect(self.address(view.query))
