"""What we tell tools that subscribed to webhooks. Called in the transaction of the change, by whoever makes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from core.slots import WebhookEventKind, webhook_events
from core.webhooks import emit, emit_selected, subscribed

if TYPE_CHECKING:
    from shipments.models import CarrierMessage, Document
    from shipments.status.moved import Moved

CREATED = "shipment.created"
STATUS_CHANGED = "shipment.status_changed"
DOCUMENT_STORED = "document.stored"
MESSAGE_CLASSIFIED = "message.classified"

webhook_events.register(
    WebhookEventKind(CREATED, _("a delivery is new")),
    WebhookEventKind(STATUS_CHANGED, _("a delivery has another status or reason")),
    WebhookEventKind(DOCUMENT_STORED, _("a document came, and can be used")),
    WebhookEventKind(MESSAGE_CLASSIFIED, _("a carrier message has a meaning, or another one")),
)

_FACTS = """'id', s.id, 'carrier', c.code, 'tracking_number', s.tracking_number, 'reference', s.reference,
    'customer', s.customer, 'status', s.status, 'reason', s.reason, 'status_at', s.status_at, 'updated', s.updated"""
_MOVED = f"""
SELECT jsonb_build_object('shipment', jsonb_build_object({_FACTS}),
    'before', jsonb_build_object('status', was.status, 'reason', was.reason)) AS data
FROM unnest(%(ids)s::bigint[], %(statuses)s::text[], %(reasons)s::text[]) AS was(id, status, reason)
    JOIN shipments_shipment s ON s.id = was.id JOIN shipments_carrier c ON c.id = s.carrier_id
ORDER BY s.id
"""  # noqa: S608  # fixed texts, bound values
_NEW = f"""
SELECT jsonb_build_object('shipment', jsonb_build_object({_FACTS})) AS data
FROM shipments_shipment s JOIN shipments_carrier c ON c.id = s.carrier_id WHERE s.id = ANY(%(ids)s) ORDER BY s.id
"""  # noqa: S608


def imports_are_told() -> bool:
    """Whether it is worth finding out what an import changes."""
    return subscribed(CREATED, STATUS_CHANGED)


def tell_created(ids: Sequence[int]) -> None:
    if ids:
        emit_selected(CREATED, _NEW, {"ids": list(ids)})


def tell_moved(moves: Sequence[Moved]) -> None:
    """Those of which status or reason is another now."""
    moved = [(move.shipment_id, *move.before) for move in moves if move.before != move.after]
    if moved:
        ids, statuses, reasons = (list(column) for column in zip(*moved, strict=True))
        emit_selected(STATUS_CHANGED, _MOVED, {"ids": ids, "statuses": statuses, "reasons": reasons})


def tell_stored(document: Document) -> None:
    if not subscribed(DOCUMENT_STORED):
        return
    facts: dict[str, Any] = {
        name: getattr(document, name)
        for name in ("id", "type", "name", "content_type", "bytes", "sha256", "pages", "source", "created")
    }
    shipment = document.shipment
    number = shipment.tracking_number if shipment else ""
    emit(DOCUMENT_STORED, [{"document": facts | {"shipment": document.shipment_id, "tracking_number": number}}])


def tell_classified(message: CarrierMessage) -> None:
    if not subscribed(MESSAGE_CLASSIFIED):
        return
    names = ("id", "code", "text", "status", "reason", "confidence", "applied", "decided_by", "received")
    facts: dict[str, Any] = {name: getattr(message, name) for name in names}
    about = {"carrier": message.carrier.code, "shipment": message.shipment_id}
    emit(MESSAGE_CLASSIFIED, [{"message": facts | about}])
