"""Issuing and revoking API tokens: the row and its audit entry together."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from core.audit import record
from core.models import ApiToken


@transaction.atomic
def issue_token(*, user: Any, name: str, expires: object = None, source: str = "page") -> tuple[ApiToken, str]:
    """A new token and its key. The key is kept nowhere: show it now or never."""
    token, key = ApiToken.issue(user=user, name=name, expires=expires)
    record(actor=user, verb="token.issued", target=token, source=source, summary=name)
    return token, key


@transaction.atomic
def revoke_token(*, token: ApiToken, actor: Any, source: str = "page") -> bool:
    """Make a token useless at once. False when it already was."""
    changed = ApiToken.objects.filter(pk=token.pk, revoked__isnull=True).update(revoked=timezone.now())
    if changed:
        record(actor=actor, verb="token.revoked", target=token, source=source, summary=token.name)
    return bool(changed)
