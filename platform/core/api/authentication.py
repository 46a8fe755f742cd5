"""`Authorization: Bearer spt_…`: looked up by hash, refused when revoked, expired or its person inactive."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from core.models import ApiToken

_NOTE_USE_EVERY = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """Answers (user, token); `None` when the request carries no bearer key, so that sessions are tried next."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = ApiToken.objects.select_related("user").filter(digest=ApiToken.digest_of(key.strip())).first()
        if token is None or not token.usable or not token.user.is_active:
            raise AuthenticationFailed(
                _("This API token is unknown, revoked or expired. Issue a new one under Account.")
            )
        _note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _note_use(token: ApiToken) -> None:
    """Remember the last use, written at most once a minute however often the tool calls."""
    now = timezone.now()
    stale = Q(last_used__isnull=True) | Q(last_used__lt=now - _NOTE_USE_EVERY)
    if token.last_used is None or token.last_used < now - _NOTE_USE_EVERY:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used=now)
