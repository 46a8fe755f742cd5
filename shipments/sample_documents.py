"""Sample documents of the last two weeks, and what is missing among them: a slow carrier, failed tries, a waiver."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core import slots
from services_registry.choices import BatchState, ChunkState, ItemState, Outcome
from services_registry.models import Batch, BatchItem, Chunk
from shipments.choices import DocumentType
from shipments.completeness.changes import waive
from shipments.completeness.refresh import deliveries_of
from shipments.completeness.rules import Rulebook, current_rules
from shipments.completeness.seed import SAMPLE_DAYS
from shipments.completeness.upkeep import keep_up
from shipments.documents.store import store_document
from shipments.models import Document, ExpectedDocument, Shipment

SEED = 20261124
SLOW, AWAY = "sample-lusoenvios", "sample-wisla"
SELDOM_MISSING = 0.04
POD = DocumentType.PROOF_OF_DELIVERY
NOT_FOUND = ("NotFound", "no file for this number in /pod")
REFUSED = ("ConnectionRefused", "the server refuses connections: is the port right, the service up?")


def sample_pdf(lines: Sequence[str]) -> bytes:
    """One page with a few lines of text."""
    text = " ".join(
        f"1 0 0 1 72 {760 - 24 * place} Tm ({line.encode('ascii', 'replace').decode()}) Tj"
        for place, line in enumerate(lines)
    )
    content = f"BT /F1 14 Tf {text} ET"
    parts = [
        "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]  # fmt: skip
    made, places = "%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n{part}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(parts) + 1} /Root 1 0 R >>\n"
    return f"{made}{end}startxref\n{len(made)}\n%%EOF\n".encode("ascii")


def _documents(log: Callable[[str], None]) -> None:
    since = timezone.now() - timedelta(days=SAMPLE_DAYS)
    chosen = list(Shipment.objects.filter(sample=True, created__gte=since).select_related("carrier").order_by("pk"))
    if Document.objects.filter(sample=True).exists() or not chosen:
        log("sample documents are kept as they are")
        return
    with transaction.atomic():
        made = _store(chosen)
        proofs = set(Document.objects.filter(sample=True, type=POD).values_list("shipment", flat=True))
        lacking = [row for row in chosen if row.status == "delivered" and row.pk not in proofs]
        _tries([row for row in lacking if row.carrier.code == SLOW], NOT_FOUND, (30, 6))
        long_ago = timezone.now() - timedelta(hours=6)
        away = [row for row in lacking if row.carrier.code == AWAY and row.delivered and row.delivered < long_ago]
        _tries(away[:2], REFUSED, (2,))
    keep_up(seconds=60)
    late = ExpectedDocument.objects.filter(document_type=POD, carrier__code=SLOW, state="overdue").order_by("due")
    if late:
        waive(
            ExpectedDocument.objects.filter(pk=late[0].pk), actor=None, source="system",
            reason="The customer confirmed on the phone that the goods arrived",
        )  # fmt: skip
    log(f"{made} sample documents, {ExpectedDocument.objects.count()} expected and missing, late or waived")


def _store(chosen: Sequence[Shipment]) -> int:
    """A document for nearly everything that the rules expect, when it would have come."""
    chance = random.Random(SEED)  # noqa: S311  # made-up data, nothing secret
    book, kept = Rulebook(current_rules()), []
    known = {row.id: row for row in deliveries_of([row.pk for row in chosen], moved=True)}
    for shipment in chosen:
        delivery = known[shipment.pk]
        day = delivery.created.date()
        for rule in book.of(delivery.carrier_id, delivery.origin, delivery.destination, delivery.incoterm, day):
            came = _came(shipment, rule.document_type, chance)
            if came is None or came > timezone.now():
                continue
            label = DocumentType(rule.document_type).label
            document, _new = store_document(
                shipment=shipment, type=rule.document_type, name=f"{rule.document_type}-{shipment.tracking_number}.pdf",
                content=sample_pdf([str(label).upper(), shipment.tracking_number, "Sample document"]),
                source="fetched" if rule.document_type == POD else "rendered",
            )  # fmt: skip
            document.created = came
            kept.append(document)
    Document.objects.bulk_update(kept, ["created"], batch_size=500)
    return len(kept)


def _came(shipment: Shipment, document_type: str, chance: random.Random) -> datetime | None:
    dice = chance.random()
    if document_type != POD:
        return shipment.created + timedelta(minutes=5 + 100 * dice) if dice > SELDOM_MISSING else None
    missing = shipment.carrier.code == SLOW or (shipment.carrier.code == AWAY and dice < 0.4) or dice < SELDOM_MISSING
    if shipment.delivered is None or missing:
        return None
    return shipment.delivered + timedelta(hours=2 + 48 * dice)


def _tries(shipments: Sequence[Shipment], error: tuple[str, str], hours_ago: Sequence[int]) -> None:
    """Batches that fetched nothing, so many hours ago."""
    now = timezone.now()
    for hours in hours_ago if shipments else ():
        began = now - timedelta(hours=hours)
        tried = [row for row in shipments if row.delivered and row.delivered < began]
        batch = Batch.objects.create(
            capability="fetch_documents", function_name="shipments-fetch-documents", region=settings.AWS_REGION,
            title=f"Fetch proofs of delivery: {len(tried)} deliveries of {shipments[0].carrier.name}",
            state=BatchState.DONE, created=began, finished=began + timedelta(seconds=20), total=len(tried),
            failed=len(tried), created_by_name="sample", source="page", sample=True,
        )  # fmt: skip
        chunk = Chunk.objects.create(
            batch=batch, position=0, items_total=len(tried), items_failed=len(tried), state=ChunkState.DONE,
            outcome=Outcome.SUCCEEDED, attempt=1, started=began, finished=began + timedelta(seconds=20),
        )  # fmt: skip
        BatchItem.objects.bulk_create(
            BatchItem(
                batch=batch, chunk=chunk, position=place, key=str(row.pk), label=row.tracking_number,
                state=ItemState.FAILED, outcome=Outcome.ITEM_ERROR, error_type=error[0], error_message=error[1],
                settled=began + timedelta(seconds=15),
            )
            for place, row in enumerate(tried)
        )  # fmt: skip


slots.setup_steps.register(slots.SetupStep("sample-documents", _documents, order=56, sample_only=True))
