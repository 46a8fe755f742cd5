"""For whoever waits for a document: when it is looked for next, and what was wrong the last time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from shipments.choices import DocumentType, Health, RemoteState
from shipments.connections.health import health_of, resting_words
from shipments.connections.sweeps import next_sweep_of
from shipments.connections.words import in_words
from shipments.models import CarrierConnection, LateDocument, RemoteFile, Shipment


@dataclass(frozen=True, slots=True)
class NextTry:
    """`at`: None when nothing is tried by itself, and `why` says why not. `error` is of the last try."""

    at: datetime | None
    why: str = ""
    tries: int = 0
    last_try: datetime | None = None
    error: str = ""


def next_try_of(shipment_ids: Collection[int], type: str = DocumentType.PROOF_OF_DELIVERY) -> dict[int, NextTry]:
    """For each delivery when its document of that type is looked for next. Four questions, however many deliveries."""
    now = timezone.now()
    carriers = dict(Shipment.objects.filter(pk__in=shipment_ids).order_by().values_list("pk", "carrier_id"))
    connections = {
        row.carrier_id: row
        for row in CarrierConnection.objects.filter(carrier__in=set(carriers.values()), document_type=type)
    }
    late = {row.shipment_id: row for row in LateDocument.objects.filter(shipment__in=shipment_ids, type=type)}
    waiting = {
        row.shipment_id: row
        for row in RemoteFile.objects.filter(
            shipment__in=shipment_ids, state__in=[RemoteState.SEEN, RemoteState.STABLE], on_server=True
        )
    }
    plans = {carrier: _plan(row, now) for carrier, row in connections.items()}
    none = (None, _("The carrier has no connection for such documents."))
    return {pk: _of(plans.get(carrier, none), late.get(pk), waiting.get(pk)) for pk, carrier in carriers.items()}


def note_late(shipment_ids: Collection[int], type: str, error_type: str, message: str) -> None:
    """A document was looked for and did not come. Deleted deliveries are left out."""
    now = timezone.now()
    words = in_words(error_type, message)
    for pk in Shipment.objects.filter(pk__in=shipment_ids).order_by("pk").values_list("pk", flat=True):
        values = {"last_try": now, "error_type": error_type[:40], "error": words}
        row, new = LateDocument.objects.get_or_create(shipment_id=pk, type=type, defaults={**values, "first_try": now})
        if not new:
            LateDocument.objects.filter(pk=row.pk).update(tries=F("tries") + 1, **values)


def _plan(connection: CarrierConnection, now: datetime) -> tuple[datetime | None, str]:
    at, health = next_sweep_of(connection, now), health_of(connection)
    if health == Health.OPEN:
        return at, resting_words(connection)
    if at is not None:
        return at, ""
    if health == Health.PAUSED:
        return None, _("The connection is paused: %(why)s") % {"why": connection.pause_reason}
    if health == Health.OFF:
        return None, _("The connection is switched off.")
    return None, _("The carrier is not looked at by itself: fetch by hand, or give the connection an interval.")


def _of(plan: tuple[datetime | None, str], late: LateDocument | None, file: RemoteFile | None) -> NextTry:
    at, why = plan
    if file is not None and file.next_try is not None and at is not None:
        at = max(at, file.next_try)
    error = (file.last_error if file else "") or (late.error if late else "")
    return NextTry(at, why, late.tries if late else 0, late.last_try if late else None, error)
