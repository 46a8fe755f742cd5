"""When a carrier is looked at: by interval, inside its hours, in its zone, one sweep at a time."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import RefusedError
from services_registry.batches import start_batch
from services_registry.choices import OPEN_BATCHES, Priority
from services_registry.models import Batch
from shipments.models import CarrierConnection

CAPABILITY = "sweep_connections"
KEPT_DAYS = 3
MOST_FORGOTTEN = 2_000


def due_connections(now: datetime) -> list[int]:
    """Whose time has come: ids. Paused, resting and closed ones are left out; a resting one is tried at its probe."""
    rows = CarrierConnection.objects.filter(
        Q(next_probe__lte=now) | Q(open_since=None) & (Q(next_sweep=None) | Q(next_sweep__lte=now)),
        active=True, paused_at=None, sweep_minutes__gt=0,
    )  # fmt: skip
    return [row.pk for row in rows if window_open(row, now)]


def sweep(connection: CarrierConnection, *, actor: Any = None, source: str = "sweep") -> Batch:
    """Start a listing of one connection; while one is open, that one is returned.

    Raises:
        RefusedError: it is paused, switched off, or left alone until its next probe.
    """
    with transaction.atomic():
        row = CarrierConnection.objects.select_for_update(of=("self",)).select_related("carrier").get(pk=connection.pk)
        refuse_unless_usable(row)
        key = str(row.pk)
        running = Batch.objects.filter(capability=CAPABILITY, state__in=OPEN_BATCHES, selection__keys=[key]).first()
        now = timezone.now()
        CarrierConnection.objects.filter(pk=row.pk).update(next_sweep=now + timedelta(minutes=row.sweep_minutes or 60))
        return running or start_batch(
            capability=CAPABILITY, selection={"keys": [key]}, actor=actor, source=source,
            title=_("%(carrier)s: look for files") % {"carrier": row.carrier.name},
            priority=Priority.NORMAL if actor else Priority.LOW,
        )  # fmt: skip


def refuse_unless_usable(row: CarrierConnection) -> None:
    """Raises RefusedError with what to do first."""
    if not row.active:
        raise RefusedError(_("This connection is switched off. Switch it on in the admin first."))
    if row.paused_at:
        raise RefusedError(_("This connection is paused. Resume it first."))
    if row.open_since and row.next_probe and row.next_probe > timezone.now():
        raise RefusedError(_("This carrier is left alone after failures. Try the connection, then close the breaker."))


def window_open(connection: CarrierConnection, now: datetime) -> bool:
    """Whether the carrier's hours allow a sweep. Hours over midnight belong to the day on which they begin."""
    local = now.astimezone(zoneinfo.ZoneInfo(connection.zone))
    begin, end = connection.sweep_from, connection.sweep_until
    if begin is None or end is None or begin == end:
        return _allowed(connection, local)
    if begin < end:
        return begin <= local.time() < end and _allowed(connection, local)
    if local.time() >= begin:
        return _allowed(connection, local)
    return local.time() < end and _allowed(connection, local - timedelta(days=1))


def _allowed(connection: CarrierConnection, day: datetime) -> bool:
    return str(day.weekday()) in connection.sweep_days


def next_sweep_of(connection: CarrierConnection, now: datetime) -> datetime | None:
    """When the next sweep is to be expected; None when none will come by itself."""
    if not connection.active or connection.paused_at or not connection.sweep_minutes:
        return None
    planned = max(now, (connection.next_probe if connection.open_since else connection.next_sweep) or now)
    if window_open(connection, planned):
        return planned
    zone = zoneinfo.ZoneInfo(connection.zone)
    local = planned.astimezone(zone)
    for ahead in range(9):
        day = local.date() + timedelta(days=ahead)
        opening = datetime.combine(day, connection.sweep_from or time(), zone).astimezone(UTC)
        if opening >= planned and window_open(connection, opening):
            return opening
    return None


def forget_sweeps(now: datetime) -> int:
    """Old sweeps are not worth their rows: each connection keeps what its last one found. Returns how many went."""
    old = Batch.objects.filter(
        capability=CAPABILITY, finished__lt=now - timedelta(days=KEPT_DAYS), created_by=None
    ).order_by("finished")[:MOST_FORGOTTEN]
    _count, by_model = Batch.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    return by_model.get("services_registry.Batch", 0)
