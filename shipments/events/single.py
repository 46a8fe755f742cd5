"""One tracking event, told by a person or a tool of ours; kept once, as those of carriers are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from core.audit import record
from shipments.choices import Status
from shipments.events.parsing import BadEventError, Said, read_event
from shipments.events.storing import store
from shipments.models import Shipment, TrackingEvent
from shipments.reasons import reasons_of

NAMES = ("at", "code", "text", "place", "status", "reason")


@transaction.atomic
def add_event(
    shipment: Shipment, stated: Mapping[str, Any], *, actor: Any, source: str = "api"
) -> tuple[TrackingEvent, bool]:
    """(The event, whether it is new.) The same moment, code and text again adds nothing.

    Its meaning comes from its code, or is said outright by `status` and `reason`.

    Raises:
        ValidationError: a field is not right, with its code.
    """
    said = _said(shipment, stated)
    stored = store(shipment.carrier_id, [said], source=source, received=timezone.now())
    event = TrackingEvent.objects.get(shipment=shipment, at=said.at, code=said.code, text=said.text)
    if stored.new:
        summary = f"{shipment.tracking_number}: {event.text or event.code}"
        record(actor=actor, verb="shipment.event_added", target=shipment, source=source, summary=summary)
    return event, bool(stored.new)


def _said(shipment: Shipment, stated: Mapping[str, Any]) -> Said:
    for name in stated:
        if name not in NAMES:
            raise ValidationError({name: ValidationError("There is no such field.", code="unknown_field")})
    status, reason = str(stated.get("status") or ""), str(stated.get("reason") or "")
    text = stated.get("text") or (f"set to {status}" if status and not stated.get("code") else "")
    try:
        said = read_event(0, {**stated, "text": text, "tracking_number": shipment.tracking_number})
    except BadEventError as error:
        field = next((name for name in NAMES if str(error).startswith(f"{name} ")), "at")
        raise ValidationError({field: ValidationError(str(error), code=error.code)}) from error
    if status and status not in Status.values:
        words = f"is not a status; known ones: {', '.join(Status.values)}"
        raise ValidationError({"status": ValidationError(words, code="unknown_status")})
    if reason and (not status or not reasons_of(said.at.date()).filter(code=reason).exists()):
        words = "is not a reason that holds on that day" if status else "only together with a status"
        raise ValidationError({"reason": ValidationError(words, code="unknown_reason" if status else "without_status")})
    return Said(0, said.tracking_number, said.at, said.code, said.text, said.place, status, reason)
