"""Error pages in the design; under /api/ the same errors in the API's shape."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext as _

from core.api.errors import json_error


def _answer(request: HttpRequest, status: int, code: str, title: str, message: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return json_error(status, code, message)
    context = {"status": status, "title": title, "message": message}
    return render(request, "dashboard/error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    message = _("The request could not be understood. Go back, reload the page and try again.")
    return _answer(request, 400, "bad_request", _("That did not make sense"), message)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    message = str(exception or "") or _("Your role does not allow this. Ask an administrator.")
    return _answer(request, 403, "permission_denied", _("Not allowed"), message)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    message = _("The form was too old or came from another site. Go back, reload the page and send it again.")
    return _answer(request, 403, "csrf_failed", _("The form could not be accepted"), message)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    message = _("There is nothing at this address. It may have been removed, or the link is incomplete.")
    return _answer(request, 404, "not_found", _("Not found"), message)


def server_error(request: HttpRequest) -> HttpResponse:
    """Must work when the database does not: no context processors, no queries."""
    message = _(
        "Something failed on our side. Nothing you entered was half saved. Try again; if it stays, report the id below."
    )
    if request.path.startswith("/api/"):
        return json_error(500, "server_error", message)
    context = {"request_id": getattr(request, "request_id", ""), "message": message, "title": _("Something failed")}
    return HttpResponse(loader.get_template("dashboard/error_500.html").render(context), status=500)
