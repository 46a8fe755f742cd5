"""What people do to a connection and its files. Each change is one transaction with its audit entry."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.errors import RefusedError
from shipments.choices import RemoteState
from shipments.connections.later import fetch_later
from shipments.connections.listing import add_history
from shipments.models import CarrierConnection, RemoteFile

RETRIED = (RemoteState.STABLE, RemoteState.GONE, RemoteState.QUARANTINED, RemoteState.UNMATCHED)
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


@transaction.atomic
def pause(connection: CarrierConnection, *, actor: Any, reason: str) -> None:
    """Nothing connects any more; what is under way ends by itself.

    Raises:
        RefusedError: no reason was given.
    """
    if not reason.strip():
        raise RefusedError(_("Say why, for the colleague who finds it paused."))
    changed = CarrierConnection.objects.filter(pk=connection.pk, paused_at=None).update(
        paused_at=timezone.now(), paused_by=actor.get_username(), pause_reason=reason.strip()[:300]
    )
    if changed:
        record(actor=actor, verb="connection.paused", target=connection, summary=str(connection), reason=reason)


@transaction.atomic
def resume(connection: CarrierConnection, *, actor: Any) -> None:
    """Go on; a sweep is due at once."""
    changed = CarrierConnection.objects.filter(pk=connection.pk, paused_at__isnull=False).update(
        paused_at=None, paused_by="", pause_reason="", next_sweep=None
    )
    if changed:
        record(actor=actor, verb="connection.resumed", target=connection, summary=str(connection))


@transaction.atomic
def close_breaker(connection: CarrierConnection, *, actor: Any) -> None:
    """Stop leaving the carrier alone: whoever closes it has mended something. Failures are counted from 0."""
    changed = CarrierConnection.objects.filter(pk=connection.pk, open_since__isnull=False).update(
        open_since=None, next_probe=None, failures=0, next_sweep=None
    )
    if changed:
        record(actor=actor, verb="connection.closed", target=connection, summary=str(connection))


@transaction.atomic
def pin_host_key(connection: CarrierConnection, fingerprint: str, *, actor: Any, reason: str = "") -> None:
    """Trust this key of the server from now on.

    Raises:
        RefusedError: it is no fingerprint.
    """
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise RefusedError(_("A fingerprint looks like SHA256: and 43 characters."))
    before = connection.host_key
    CarrierConnection.objects.filter(pk=connection.pk).update(host_key=fingerprint)
    record(
        actor=actor, verb="connection.key_pinned", target=connection, summary=str(connection), reason=reason,
        before={"host_key": before}, after={"host_key": fingerprint},
    )  # fmt: skip


@transaction.atomic
def save_pattern(connection: CarrierConnection, *, directory: str, pattern: str, actor: Any) -> None:
    """Where files lie and how they are called, from the next sweep on."""
    before = {"directory": connection.directory, "pattern": connection.pattern}
    after = {"directory": directory, "pattern": pattern}
    CarrierConnection.objects.filter(pk=connection.pk).update(**after)
    record(
        actor=actor, verb="connection.pattern_saved", target=connection, summary=str(connection), before=before,
        after=after,
    )  # fmt: skip


def retry_files(connection: CarrierConnection, ids: Collection[int], *, actor: Any) -> int:
    """Fetch these files again now, whatever became of them the last time; returns how many."""
    return _fetch_now(connection, ids, RETRIED, _("Tried again by %(who)s."), "remote_files.retried", actor)


def release_files(connection: CarrierConnection, ids: Collection[int], *, actor: Any) -> int:
    """Fetch files now that may still grow; returns how many."""
    return _fetch_now(connection, ids, (RemoteState.SEEN,), _("Released by %(who)s."), "remote_files.released", actor)


@transaction.atomic
def _fetch_now(
    connection: CarrierConnection, ids: Collection[int], states: Collection[str], words: str, verb: str, actor: Any
) -> int:
    now = timezone.now()
    rows = list(RemoteFile.objects.select_for_update().filter(connection=connection, pk__in=ids, state__in=states))
    for row in rows:
        row.state, row.next_try, row.tries, row.last_error = RemoteState.STABLE, now, 0, ""
        add_history(row, words % {"who": actor.get_username()}, now)
    RemoteFile.objects.bulk_update(rows, ["state", "next_try", "tries", "last_error", "history"], batch_size=500)
    if rows:
        record(
            actor=actor, verb=verb, target=connection, summary=str(connection),
            after={"files": [row.name for row in rows[:20]], "count": len(rows)},
        )  # fmt: skip
        transaction.on_commit(lambda: fetch_later(connection.pk))
    return len(rows)
