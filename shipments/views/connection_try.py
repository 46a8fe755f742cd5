"""Building a connection against the real server: try it step by step, see what lies there, try a pattern on it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.access import admin_required
from core.errors import RefusedError
from core.htmx import is_fragment, vary_on_fragment
from shipments.connection_forms import TryForm
from shipments.connections import asking, control
from shipments.models import CarrierConnection
from shipments.views.connection_page import head_of, offered_key, steps_of, tried_context


def _connection(pk: int) -> CarrierConnection:
    return get_object_or_404(CarrierConnection.objects.select_related("carrier"), pk=pk)


@admin_required
@require_GET
def connection_try(request: HttpRequest, pk: int) -> HttpResponse:
    """The workbench: nothing is asked of the carrier before a button is pressed."""
    connection = _connection(pk)
    context = head_of(connection) | {"form": TryForm(instance=connection)}
    return render(request, "shipments/connection_try.html", context)


@admin_required
@require_POST
def connection_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Try the saved connection, and say each step."""
    connection = _connection(pk)
    asked = asking.check(connection, actor=request.user)
    context = head_of(connection) | {
        "form": TryForm(instance=connection), "checked": asked, "steps": steps_of(asked),
        "offered": offered_key(connection, asked),
    }  # fmt: skip
    return _answer(request, "shipments/_connection_steps.html", context)


@admin_required
@require_POST
def connection_listing(request: HttpRequest, pk: int) -> HttpResponse:
    """What lies in the directory now, and what the pattern makes of it; or save both."""
    connection = _connection(pk)
    form = TryForm(request.POST, instance=_connection(pk))
    context = head_of(connection) | {"form": form}
    if not form.is_valid():
        return _answer(request, "shipments/_connection_listing.html", context)
    directory, pattern = form.cleaned_data["directory"], form.cleaned_data["pattern"]
    if "save" in request.POST:
        control.save_pattern(connection, directory=directory, pattern=pattern, actor=request.user)
        messages.success(request, _("Directory and pattern are saved."))
        return redirect("connection-detail", pk)
    asked = asking.live_listing(connection, directory=directory, pattern=pattern)
    context |= {"asked": asked}
    if not asked.problem:
        context |= tried_context(asked.value, asking.judged(connection, directory, pattern, asked.value))
    return _answer(request, "shipments/_connection_listing.html", context)


@admin_required
@require_POST
def connection_pin(request: HttpRequest, pk: int) -> HttpResponse:
    """Trust the key that the server offered."""
    try:
        control.pin_host_key(_connection(pk), request.POST.get("fingerprint", ""), actor=request.user)
        messages.success(request, _("The host key is pinned. Try the connection again."))
    except RefusedError as error:
        messages.error(request, error.message)
    return redirect("connection-try", pk)


def _answer(request: HttpRequest, fragment: str, context: dict[str, object]) -> HttpResponse:
    """The fragment for the page that is open, else the whole page with it."""
    template = fragment if is_fragment(request) else "shipments/connection_try.html"
    return vary_on_fragment(render(request, template, context))
