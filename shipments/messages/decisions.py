"""Carrier messages by hand: taking one in, and saying what one means."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from core.audit import record
from shipments.models import CarrierMessage
from shipments.status.derive import derive
from shipments.webhooks import tell_classified

PERSON = "person"


@transaction.atomic
def add_message(*, actor: Any, source: str = "api", **values: Any) -> CarrierMessage:
    """A message as the carrier wrote it; it is classified later, as all are."""
    message = CarrierMessage.objects.create(**values)
    record(actor=actor, verb="message.added", target=message, source=source, summary=str(message))
    message.refresh_from_db()
    return message


@transaction.atomic
def correct_message(
    message_id: int, *, status: str, reason: str = "", applied: bool = True, actor: Any, source: str = "api"
) -> CarrierMessage:
    """A person's word on what a message means: it goes before any classification, and moves the delivery.

    Raises:
        CarrierMessage.DoesNotExist: it is gone.
    """
    message = CarrierMessage.objects.select_for_update(of=("self",)).select_related("carrier").get(pk=message_id)
    before = {name: getattr(message, name) for name in ("status", "reason", "confidence", "applied", "decided_by")}
    was_applied = message.applied
    message.status, message.reason, message.applied = status, reason, applied
    message.confidence, message.decided_by, message.decided = 1.0, PERSON, timezone.now()
    message.save(update_fields=["status", "reason", "applied", "confidence", "decided_by", "decided"])
    after = {name: getattr(message, name) for name in before}
    if after != before:
        record(actor=actor, verb="message.corrected", target=message, source=source, summary=str(message),
               before=before, after=after)  # fmt: skip
        tell_classified(message)
    if message.shipment_id and (message.applied or was_applied):
        derive([message.shipment_id])
    message.refresh_from_db()
    return message
