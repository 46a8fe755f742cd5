"""From what people call a delivery to item keys, and from items to the files that came of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from django.db.models import Q, QuerySet

from services_registry.capabilities import ResultFile
from services_registry.models import Batch
from shipments.choices import DocumentState
from shipments.models import CarrierMessage, Document, Shipment

MOST_FOUND = 200


def shipments_called(text: str) -> QuerySet[Shipment]:
    """Deliveries with exactly this tracking number or reference; several carriers may use the same number."""
    spellings = {text.strip(), text.strip().upper()}
    return Shipment.objects.filter(Q(tracking_number__in=spellings) | Q(reference__in=spellings)).order_by()


def shipment_keys(text: str) -> list[str]:
    return [str(pk) for pk in shipments_called(text).values_list("pk", flat=True)[:MOST_FOUND]]


def message_keys(text: str) -> list[str]:
    """The messages about these deliveries."""
    about = shipments_called(text).values("pk")[:MOST_FOUND]
    rows = CarrierMessage.objects.filter(shipment__in=about).order_by("-pk")
    return [str(pk) for pk in rows.values_list("pk", flat=True)[:MOST_FOUND]]


def document_files(batch: Batch, keys: Sequence[str]) -> Iterator[ResultFile]:
    """The stored documents that the batch brought, by delivery; quarantined ones are left out.

    The same bytes for the same delivery are kept once, under the batch that was first. So a batch that rendered a note
    again names it in its item's result, and that name counts too.
    """
    ids = _ids_in_results(batch, keys)
    rows = Document.objects.filter(
        Q(batch=batch) | Q(pk__in=ids), shipment__in=[int(key) for key in keys], state=DocumentState.STORED
    )
    for document in rows.select_related("shipment").order_by("shipment", "pk"):
        yield ResultFile(
            key=str(document.shipment_id),
            name=_name_of(document),
            open=partial(_opened, document),
            size=document.bytes,
            modified=document.created,
        )


def manifest_files(batch: Batch, keys: Sequence[str]) -> Iterator[ResultFile]:
    """The manifests that the batch brought: documents of no delivery, known by what their item says."""
    facts: Iterable[Any] = batch.items.filter(key__in=keys, result__isnull=False).values_list("key", "result")
    keys_of = {result["document"]: key for key, result in facts if "document" in result}
    for document in Document.objects.filter(pk__in=keys_of, state=DocumentState.STORED).order_by("pk"):
        yield ResultFile(
            key=keys_of[document.pk], name=document.name, open=partial(_opened, document), size=document.bytes,
            modified=document.created,
        )  # fmt: skip


def _ids_in_results(batch: Batch, keys: Sequence[str]) -> list[int]:
    ids: list[int] = []
    results: Iterable[Any] = batch.items.filter(key__in=keys, result__isnull=False).values_list("result", flat=True)
    for result in results:
        ids += [result["document"]] if "document" in result else result.get("document_ids", [])
    return ids


def _opened(document: Document) -> BinaryIO:
    return cast(BinaryIO, document.file.open("rb"))


def _name_of(document: Document) -> str:
    number = document.shipment.tracking_number if document.shipment else "document"
    return f"{number}-{document.type.replace('_', '-')}{PurePosixPath(document.name).suffix or '.pdf'}"
