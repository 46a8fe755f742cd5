"""How a connection stands: failures in a row, when it is left alone and tried again, and who may connect now.

Left alone (the breaker is open): after `breaker_after` failed contacts in a row, or at once where going on would do harm
(a refused login locks accounts; another key or certificate may be somebody else's server). Then one contact at
`next_probe` tries again: it works -> everything goes on; it fails -> twice the pause. People can close it by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.db import connection as database
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.audit import record
from core.notifications import Kind, notify, register_kind, withdraw
from services_registry.capabilities import ItemFailed, NotNow
from services_registry.choices import ChunkState
from services_registry.models import Chunk
from shipments.choices import Health
from shipments.connections.words import in_words
from shipments.models import CarrierConnection, CarrierSession

AT_ONCE = frozenset({"AuthenticationFailed", "HostKeyMismatch", "CertificateInvalid"})
FIRST_REST, LONGEST_REST = timedelta(minutes=5), timedelta(hours=4)
REST_AT_ONCE = timedelta(hours=1)
PROBE = timedelta(minutes=5)
"""Only one contact probes; when nothing is heard of it, another may after this."""
SESSION = timedelta(seconds=240)
"""Longer than the function can run; a session whose chunk is over counts no more anyway."""
ASK_AGAIN_S = 0.7
KIND = "carrier"
register_kind(
    KIND,
    Kind(
        gettext_lazy("carrier"), "server", "red", explained=gettext_lazy("a carrier's server fails and is left alone")
    ),
)
_LOCK = 7_305_104  # any number that no other advisory lock uses; the second key is the connection


def health_of(connection: CarrierConnection) -> Health:
    """One word for lists and badges."""
    if not connection.active:
        return Health.OFF
    if connection.paused_at:
        return Health.PAUSED
    if connection.open_since:
        return Health.OPEN
    if connection.last_error:
        return Health.TROUBLED
    return Health.OK if connection.last_contact else Health.NEW


@transaction.atomic
def note_success(connection_id: int) -> None:
    """The carrier let us in: whatever was wrong is over."""
    now = timezone.now()
    opened = CarrierConnection.objects.filter(pk=connection_id).values_list("open_since", flat=True).first()
    CarrierConnection.objects.filter(pk=connection_id).update(
        last_contact=now, last_error="", last_error_type="", failures=0, open_since=None, next_probe=None
    )
    if opened:
        withdraw(told_as(connection_id, opened))
        row = CarrierConnection.objects.select_related("carrier").get(pk=connection_id)
        record(actor=None, verb="connection.recovered", target=row, source="system", summary=str(row))


@transaction.atomic
def note_failure(connection_id: int, error_type: str, message: str) -> None:
    """A contact failed. The items of one invocation fail in one transaction: that is one failed contact."""
    rows = CarrierConnection.objects.select_for_update(of=("self",)).select_related("carrier").filter(pk=connection_id)
    row = rows.extra(where=["last_failure IS DISTINCT FROM transaction_timestamp()"]).first()  # noqa: S610  # a constant
    if row is None:
        return
    now, already_open = _transaction_time(), row.open_since is not None
    row.failures += 1
    row.last_failure, row.last_error_type = now, error_type[:40]
    row.last_error = in_words(error_type, message)
    if already_open or error_type in AT_ONCE or row.failures >= row.breaker_after:
        row.open_since = row.open_since or now
        row.next_probe = now + _rest(row, error_type)
    row.save(update_fields=["failures", "last_failure", "last_error_type", "last_error", "open_since", "next_probe"])
    if row.open_since and not already_open:
        record(
            actor=None, verb="connection.opened", target=row, source="system", summary=str(row), reason=row.last_error,
            after={"failures": row.failures, "next_probe": row.next_probe.isoformat() if row.next_probe else None},
        )  # fmt: skip
        _tell_people(row)


def _tell_people(row: CarrierConnection) -> None:
    """Whoever can do something about it hears of it once; taken back from those who have not read it when it is over."""
    people = get_user_model().objects.filter(is_active=True, groups__permissions__codename="operate").distinct()
    words = {"carrier": row.carrier.name, "error": row.last_error}
    text = _("%(carrier)s is left alone: %(error)s") % words
    notify(people, KIND, text, reverse("connection-detail", args=[row.pk]), told_as(row.pk, row.open_since))


def told_as(connection_id: int, opened: datetime | None) -> str:
    """Under which key people are told that it was opened then."""
    return f"connection:{connection_id}:{opened.isoformat() if opened else ''}"


def _rest(row: CarrierConnection, error_type: str) -> timedelta:
    """Twice as long after each failed probe."""
    beyond = max(0, row.failures - (1 if error_type in AT_ONCE else row.breaker_after))
    first = REST_AT_ONCE if error_type in AT_ONCE else FIRST_REST
    return min(LONGEST_REST, first * float(2 ** min(beyond, 8)))


def _transaction_time() -> datetime:
    with database.cursor() as cursor:
        cursor.execute("SELECT transaction_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now


def admit(connection_id: int, holder: UUID) -> None:
    """Let one invocation connect, within the carrier's session limit.

    Raises:
        ItemFailed: the connection is paused, switched off or left alone.
        NotNow: all sessions are in use.
    """
    with transaction.atomic():
        _lock(connection_id)
        row = CarrierConnection.objects.select_related("carrier").filter(pk=connection_id).first()
        if row is None or not row.active:
            raise ItemFailed("NoConnection", _("This carrier has no active connection. Add one in the admin."))
        if row.paused_at:
            words = {"who": row.paused_by, "why": row.pause_reason}
            raise ItemFailed("ConnectionPaused", _("%(who)s paused the connection: %(why)s") % words)
        probing = row.open_since is not None
        if probing and (row.next_probe or timezone.now()) > timezone.now():
            raise ItemFailed("CarrierResting", resting_words(row))
        _take_session(row, holder)
        if probing:
            CarrierConnection.objects.filter(pk=row.pk).update(next_probe=timezone.now() + PROBE)


def resting_words(row: CarrierConnection) -> str:
    """Why the carrier is left alone, and until when."""
    until = timezone.localtime(row.next_probe).strftime("%Y-%m-%d %H:%M %Z") if row.next_probe else _("soon")
    words = ngettext(
        "A contact failed: %(error)s It is tried again at %(until)s.",
        "%(failures)s contacts in a row failed, the last with: %(error)s It is tried again at %(until)s.",
        row.failures,
    )
    return words % {"failures": row.failures, "error": row.last_error, "until": until}


def _take_session(row: CarrierConnection, holder: UUID) -> None:
    others = list(CarrierSession.objects.filter(connection=row).exclude(holder=holder))
    over = set(
        Chunk.objects.filter(pk__in=[one.holder for one in others])
        .exclude(state=ChunkState.RUNNING)
        .values_list("pk", flat=True)
    )
    now = timezone.now()
    ended = [one for one in others if one.holder in over or one.until < now]
    if len(others) - len(ended) >= row.max_sessions:
        words = {"carrier": row.carrier.name, "n": row.max_sessions}
        message = _("%(carrier)s allows %(n)s sessions at once, and all are in use: this waits for its turn.") % words
        raise NotNow("CarrierFull", message, pause_s=ASK_AGAIN_S)
    CarrierSession.objects.filter(pk__in=[one.pk for one in ended]).delete()
    CarrierSession.objects.update_or_create(connection=row, holder=holder, defaults={"until": now + SESSION})


@contextmanager
def session_for_test(connection_id: int) -> Iterator[None]:
    """One session for a person who tries the connection, paused or not.

    Raises:
        NotNow: all sessions are in use.
    """
    holder = uuid4()
    with transaction.atomic():
        _lock(connection_id)
        _take_session(CarrierConnection.objects.select_related("carrier").get(pk=connection_id), holder)
    try:
        yield
    finally:
        CarrierSession.objects.filter(connection=connection_id, holder=holder).delete()


def _lock(connection_id: int) -> None:
    """One at a time for each connection; not its row, which whoever settles results holds for longer."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, connection_id])
