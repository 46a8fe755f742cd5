"""What carrier messages mean: one item is one message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.capabilities import Capability, ItemFailed, ItemRef, OpenBinary, Selection
from services_registry.models import Batch
from shipments.capabilities.lookup import message_keys
from shipments.capabilities.selection import resolve_rows, with_ids
from shipments.choices import Status
from shipments.filters import MessageFilter
from shipments.models import CarrierMessage, Shipment


class ClassifyMessages(Capability):
    slug = "classify_messages"
    label = _("Classify messages")
    item_noun = _("messages")
    default_function = "shipments-classify-messages"
    default_chunk_size = 500

    def resolve(self, selection: Selection) -> Iterable[ItemRef]:
        """Messages themselves; `{"shipments": [...]}` means all messages of these deliveries."""
        rows = CarrierMessage.objects.all()
        if "shipments" in selection:
            from_shipments = rows.filter(shipment__in=[int(key) for key in selection["shipments"]])
            selection = {"keys": list(from_shipments.values_list("pk", flat=True))}
        return resolve_rows(selection, rows, MessageFilter, "text", str(self.item_noun))

    def payload(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        rows = with_ids(CarrierMessage.objects.select_related("carrier"), map(int, keys))
        return {
            str(row.pk): {"carrier": row.carrier.code, "carrier_code": row.code, "message": row.text} for row in rows
        }

    def apply(
        self, key: str, value: Mapping[str, Any], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, Any] | None:
        message = CarrierMessage.objects.filter(pk=int(key)).first()
        if message is None:
            raise ItemFailed("Gone", "The message was deleted while it was being classified.")
        status = str(value.get("status") or "")
        if status not in Status.values:
            raise ItemFailed("BadAnswer", f"The function answered the status “{status[:40]}”, which does not exist.")
        message.status = status
        message.reason = str(value.get("reason") or "")[:50]
        message.confidence = float(value.get("confidence") or 0)
        message.applied = value.get("applied") in (True, "yes")
        message.language = str(value.get("language") or "")[:5]
        message.translation = str(value.get("translation") or "")
        message.decided_by = str(value.get("decided_by") or "")[:20]
        message.decided = timezone.now()
        message.save()
        changed = message.applied and derive_status(message)
        return {"status": status, "confidence": message.confidence, "applied": message.applied, "changed": changed}

    def find(self, text: str) -> list[str]:
        return message_keys(text)


def derive_status(message: CarrierMessage) -> bool:
    """Give the shipment the status of `message` if no later applied one exists; whether it changed.

    `unknown` never overwrites what is known. The guard in the UPDATE keeps `updated` when nothing differs.
    """
    if message.shipment_id is None or message.status == Status.UNKNOWN:
        return False
    later = CarrierMessage.objects.filter(
        shipment=message.shipment_id, applied=True, received__gt=message.received
    ).exclude(status__in=["", Status.UNKNOWN])
    if later.exists():
        return False
    shipment = Shipment.objects.select_for_update().get(pk=message.shipment_id)
    delivered = shipment.delivered
    if message.status == Status.DELIVERED and delivered is None:
        delivered = message.received
    if (shipment.status, shipment.reason, shipment.delivered) == (message.status, message.reason, delivered):
        return False
    shipment.status, shipment.reason, shipment.delivered = message.status, message.reason, delivered
    shipment.updated = timezone.now()
    shipment.save(update_fields=["status", "reason", "delivered", "updated"])
    return True
