"""One line of time for a shipment: what carriers said, which documents came, which batches worked on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from services_registry.models import BatchItem
from shipments.models import CarrierMessage, Shipment

MOST_OF_A_KIND = 100


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    kind: str
    icon: str
    text: str
    detail: str = ""
    url: str = ""


def timeline_of(shipment: Shipment, messages: Iterable[CarrierMessage]) -> list[Entry]:
    """Newest first; three queries besides the messages."""
    messages = list(messages)
    entries = [Entry(shipment.created, _("order"), "box", _("Order taken"))]
    entries += [
        Entry(event.at, _("event"), "truck", event.text or event.code, event.place)
        for event in shipment.events.all()[:MOST_OF_A_KIND]
    ]
    entries += [
        Entry(message.received, _("message"), "message", message.text or message.code, message.get_status_display())
        for message in messages
    ]
    entries += [
        Entry(
            document.created,
            _("document"),
            "file",
            document.name,
            document.problem,
            reverse("document-file", args=[document.pk]),
        )
        for document in shipment.documents.all()[:MOST_OF_A_KIND]
    ]
    mine = Q(key=str(shipment.pk), batch__capability__in=["render_pdf", "fetch_documents"])
    mine |= Q(key__in=[str(message.pk) for message in messages], batch__capability="classify_messages")
    for item in BatchItem.objects.filter(mine).select_related("batch").order_by("-id")[:MOST_OF_A_KIND]:
        detail = _("missing at the carrier") if item.error_type == "NotFound" else item.error_message
        text = f"{item.batch.title}: {item.get_state_display()}"
        entries.append(
            Entry(
                item.settled or item.batch.created,
                _("batch"),
                "batch",
                text,
                detail,
                reverse("batch-detail", args=[item.batch_id]),
            )
        )
    return sorted(entries, key=lambda entry: entry.at, reverse=True)
