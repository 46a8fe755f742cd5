"""Writing the audit trail: one call beside every state change a person or tool causes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.logs import current_origin
from core.models import AuditEntry

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.db.models import Model


def target_of(instance: Model) -> str:
    """`app.model:pk`, the spelling under which the entries of one object are found."""
    return f"{instance._meta.label_lower}:{instance.pk}"


def record(
    *,
    actor: AbstractBaseUser | AnonymousUser | None,
    verb: str,
    target: Model | str = "",
    source: str = "page",
    summary: str = "",
    reason: str = "",
    before: Any = None,
    after: Any = None,
) -> AuditEntry:
    """Write one entry. Call it inside the transaction of the change it describes."""
    person: Any = actor if actor is not None and getattr(actor, "pk", None) else None
    return AuditEntry.objects.create(
        actor=person,
        actor_name=person.get_username() if person else "system",
        source=source,
        verb=verb,
        target=target if isinstance(target, str) else target_of(target),
        summary=summary[:300],
        reason=reason[:300],
        before=before,
        after=after,
        request_id=current_origin()[:40],
    )
