"""Payloads kept under a name to run a function with again: one's own, and those that others share."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.errors import RefusedError
from services_registry.models import Function, SavedPayload

MOST_OF_A_PERSON = 50
"""Of one function."""
LARGEST = 256 * 1024
"""Bytes of JSON; what is larger belongs into object storage."""
UNDO_FOR = timedelta(days=1)


class PayloadError(RefusedError):
    """It cannot be kept so."""

    code = "invalid"
    status = 400


def visible_to(user: Any, function: Function) -> QuerySet[SavedPayload]:
    """One's own and the shared ones, by name."""
    mine_or_shared = Q(owner_id=user.pk) | Q(shared=True)
    rows = SavedPayload.objects.filter(mine_or_shared, function=function, deleted=None)
    return rows.select_related("owner").order_by("name", "id")


def just_deleted(user: Any, function: Function) -> SavedPayload | None:
    """The last one that this person deleted, while that can be undone."""
    since = timezone.now() - UNDO_FOR
    rows = SavedPayload.objects.filter(function=function, owner_id=user.pk, deleted__gte=since)
    return rows.order_by("-deleted").first()


def own_payload(user: Any, pk: UUID, *, deleted: bool = False) -> SavedPayload:
    """Raises SavedPayload.DoesNotExist, also when it is somebody else's."""
    rows = SavedPayload.objects.select_related("function", "owner")
    return rows.get(pk=pk, owner_id=user.pk, deleted__isnull=not deleted)


@transaction.atomic
def save_payload(
    *, function: Function, owner: Any, name: str, payload: Any, shared: bool, source: str = "page"
) -> SavedPayload:
    """Keep a payload; one's own of the same name is replaced. The same again changes nothing.

    Raises:
        PayloadError: no name, too large, or too many.
    """
    name, payload = _name(name), _checked(payload)
    mine = SavedPayload.objects.select_for_update().filter(function=function, owner_id=owner.pk, deleted=None)
    known = next((row for row in mine if row.name == name), None)
    if known is not None:
        return change_payload(known, actor=owner, name=name, payload=payload, shared=shared, source=source)
    if mine.count() >= MOST_OF_A_PERSON:
        raise PayloadError(
            _("You keep %(n)s payloads of this function. Delete one first.") % {"n": MOST_OF_A_PERSON}, code="too_many"
        )
    row = SavedPayload.objects.create(function=function, owner=owner, name=name, payload=payload, shared=shared)
    record(actor=owner, verb="payload.saved", target=function, source=source, summary=name, after=_facts(row))
    return row


@transaction.atomic
def change_payload(
    row: SavedPayload, *, actor: Any, name: str, payload: Any, shared: bool, source: str = "page"
) -> SavedPayload:
    """Rename, share or replace one's own; the same again changes nothing.

    Raises:
        PayloadError: no name, too large, or another one of this person has the name.
    """
    before = _facts(row)
    row.name, row.payload, row.shared = _name(name), _checked(payload), shared
    after = _facts(row)
    if before == after:
        return row
    row.changed = timezone.now()
    try:
        with transaction.atomic():
            row.save(update_fields=["name", "payload", "shared", "changed"])
    except IntegrityError as error:
        raise _taken(row.name) from error
    record(actor=actor, verb="payload.changed", target=row.function, source=source, summary=row.name,
           before=before, after=after)  # fmt: skip
    return row


@transaction.atomic
def delete_payload(row: SavedPayload, *, actor: Any, source: str = "page") -> None:
    """Offer it no longer; for a day its owner can take that back."""
    if SavedPayload.objects.filter(pk=row.pk, deleted=None).update(deleted=timezone.now()):
        record(actor=actor, verb="payload.deleted", target=row.function, source=source, summary=row.name)


@transaction.atomic
def restore_payload(row: SavedPayload, *, actor: Any, source: str = "page") -> None:
    """Undo the deletion.

    Raises:
        PayloadError: meanwhile another one has its name.
    """
    try:
        with transaction.atomic():
            restored = SavedPayload.objects.filter(pk=row.pk).exclude(deleted=None).update(deleted=None)
    except IntegrityError as error:
        raise _taken(row.name) from error
    if restored:
        record(actor=actor, verb="payload.restored", target=row.function, source=source, summary=row.name)


def _name(text: str) -> str:
    name = " ".join(text.replace("\0", "").split())[:80]
    if not name:
        raise PayloadError(_("Give the payload a name."), code="no_name", fields={"name": [_("empty")]})
    return name


def _checked(payload: Any) -> Any:
    size = len(json.dumps(payload).encode())
    if size > LARGEST:
        words = _("A kept payload may have at most 256 KB; this one has %(n)s bytes.") % {"n": f"{size:,}"}
        raise PayloadError(words, code="too_large", fields={"payload": [words]})
    return payload


def _taken(name: str) -> PayloadError:
    words = _("You already have a payload called “%(name)s”.") % {"name": name}
    return PayloadError(words, code="name_taken", fields={"name": [words]})


def _facts(row: SavedPayload) -> dict[str, Any]:
    """What the audit trail keeps: not the payload itself, only that it is another one."""
    return {
        "name": row.name,
        "shared": row.shared,
        "bytes": len(json.dumps(row.payload).encode()),
        "digest": _digest(row),
    }


def _digest(row: SavedPayload) -> str:
    return hashlib.sha256(json.dumps(row.payload, sort_keys=True).encode()).hexdigest()[:16]
