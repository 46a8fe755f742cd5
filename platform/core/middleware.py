"""What happens to every request: an id, the content security policy, the person's time zone."""

from __future__ import annotations

import re
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from core.logs import set_origin
from core.models import Preference

Handler = Callable[[HttpRequest], HttpResponse]
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,40}")


class RequestId:
    """Gives every request an id, takes over a proxy's `X-Request-ID`, and answers with it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get("X-Request-ID", "")
        request_id = offered if _ACCEPTED_ID.fullmatch(offered) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]  # read by error pages
        set_origin(request_id)
        try:
            response = self.get_response(request)
        finally:
            set_origin("-")
        response["X-Request-ID"] = request_id
        return response


class ContentSecurityPolicy:
    """Sends `settings.CONTENT_SECURITY_POLICY`; a response that brought its own policy keeps it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.policy = "; ".join(f"{name} {sources}" for name, sources in settings.CONTENT_SECURITY_POLICY.items())

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        return response


def preference_of(request: HttpRequest) -> Preference:
    """The signed-in person's preferences, or the defaults; read with the person (`core.identity`)."""
    known: Preference | None = getattr(request, "_preference", None)
    if known is None:
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            known = getattr(user, "preference", None) or Preference(user=user)
        else:
            known = Preference()
        request._preference = known  # type: ignore[attr-defined]  # kept for the length of the request
    return known


class PersonalTimeZone:
    """Shows times in the person's zone; the API always speaks UTC."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/") or request.path in {"/healthz", "/readyz"}:
            return self.get_response(request)
        name = preference_of(request).time_zone or settings.DISPLAY_TIME_ZONE
        try:
            zone = zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            zone = zoneinfo.ZoneInfo("UTC")
        with timezone.override(zone):
            return self.get_response(request)


class LoginRequired(LoginRequiredMiddleware):
    """Every page asks for a login. A fragment cannot show the login page, so it sends the whole window there."""

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> Any:
        if request.headers.get("HX-Request") == "true":
            page = urlsplit(request.headers.get("HX-Current-URL", "")).path or "/"
            return HttpResponse(status=401, headers={"HX-Redirect": f"{reverse('login')}?{urlencode({'next': page})}"})
        return super().handle_no_permission(request, view_func)
