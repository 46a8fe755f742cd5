"""What carrier messages mean: one item is one message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.capabilities import Capability, ItemFailed, ItemRef, OpenBinary, Selection
from services_registry.models import Batch
from shipments.capabilities.lookup import message_keys
from shipments.capabilities.selection import resolve_rows
from shipments.choices import Status
from shipments.filters import MessageFilter
from shipments.listing.search import with_ids
from shipments.models import CarrierMessage
from shipments.status.derive import derive_moves
from shipments.webhooks import tell_classified


class ClassifyMessages(Capability):
    slug = "classify_messages"
    label = _("Classify messages")
    label_of_one = _("Classify message")
    item_noun = _("messages")
    item_model = "shipments.carriermessage"
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
        message = CarrierMessage.objects.select_related("carrier").filter(pk=int(key)).first()
        if message is None:
            raise ItemFailed("Gone", "The message was deleted while it was being classified.")
        status = str(value.get("status") or "")
        if status not in Status.values:
            raise ItemFailed("BadAnswer", f"The function answered the status “{status[:40]}”, which does not exist.")
        was_applied = message.applied
        message.status = status
        message.reason = str(value.get("reason") or "")[:50]
        message.confidence = float(value.get("confidence") or 0)
        message.applied = value.get("applied") in (True, "yes")
        message.language = str(value.get("language") or "")[:5]
        message.translation = str(value.get("translation") or "")
        message.decided_by = str(value.get("decided_by") or "")[:20]
        message.decided = timezone.now()
        message.save()
        tell_classified(message)
        counts = message.shipment_id if message.applied or was_applied else None
        changed = any(move.before != move.after for move in derive_moves([counts] if counts else []))
        return {"status": status, "confidence": message.confidence, "applied": message.applied, "changed": changed}

    def find(self, text: str) -> list[str]:
        return message_keys(text)
