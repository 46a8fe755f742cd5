"""What is behind one day of costs per delivery: the batches, and the deliveries of a batch with their shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet

from costs.models import UnitBatch
from costs.selectors import OF_FILES, OF_MESSAGES, OF_SHIPMENTS, item_costs
from costs.unit_costs.shares import bounds_of
from services_registry.models import Batch, BatchItem
from shipments.models import Carrier, CarrierMessage, RemoteFile, Shipment

PAGE_SIZE = 50
READ_AT_ONCE = 200
MOST_READ = 1_000
"""Items looked at for one page: of a batch of many carriers, few may be of the one that is asked for."""


@dataclass(frozen=True, slots=True)
class ItemShare:
    """One item of a batch with its part of the invocation it was in; `shipment` is None for work of no delivery."""

    item: BatchItem
    shipment: Shipment | None
    usd: Decimal


@dataclass(frozen=True, slots=True)
class Shares:
    """One page. `next_position`: where the next one begins; None at the end of the batch."""

    rows: list[ItemShare]
    next_position: int | None
    looked_at: int


def batches_of(day: date, carrier: Carrier | None, kind: str) -> QuerySet[UnitBatch]:
    """The batches of one UTC day with their cost on it, by carrier."""
    rows = UnitBatch.objects.filter(day=day).select_related("batch", "carrier")
    rows = rows.defer("batch__selection", "batch__context", "batch__payload", "batch__plan")
    if carrier:
        rows = rows.filter(carrier=carrier)
    return rows.filter(batch__capability=kind) if kind else rows


def shares_of(batch: Batch, day: date, carrier: Carrier | None, position: int = 0) -> Shares:
    """Items of a batch whose invocation finished on a UTC day, from a position on."""
    start, end = bounds_of(day, day)
    finished = BatchItem.objects.filter(batch=batch, chunk__finished__gte=start, chunk__finished__lt=end)
    finished = finished.filter(chunk__billed_ms__isnull=False).select_related("chunk__batch").order_by("position")
    rows: list[ItemShare] = []
    looked_at, at = 0, position
    while looked_at < MOST_READ:
        items = list(finished.filter(position__gte=at)[:READ_AT_ONCE])
        owners = _shipments(batch, [item.key for item in items])
        costs = item_costs(items)
        for item in items:
            looked_at, at = looked_at + 1, item.position + 1
            shipment = owners.get(item.key)
            if item.pk in costs and (carrier is None or (shipment and shipment.carrier_id == carrier.pk)):
                rows.append(ItemShare(item, shipment, costs[item.pk].usd))
                if len(rows) == PAGE_SIZE:
                    return Shares(rows, at, looked_at)
        if len(items) < READ_AT_ONCE:
            return Shares(rows, None, looked_at)
    return Shares(rows, at, looked_at)


def _shipments(batch: Batch, keys: list[str]) -> Mapping[str, Shipment]:
    """The deliveries of items, by key. One query, two where items are messages or files."""
    numbers = [int(key) for key in keys if key.isascii() and key.isdigit()]
    if batch.capability in OF_SHIPMENTS:
        pairs = {str(number): number for number in numbers}
    elif batch.capability in (*OF_MESSAGES, *OF_FILES):
        model = CarrierMessage if batch.capability in OF_MESSAGES else RemoteFile
        found = model._default_manager.filter(pk__in=numbers, shipment__isnull=False).order_by()
        pairs = {str(pk): shipment for pk, shipment in found.values_list("pk", "shipment_id")}
    else:
        return {}
    shipments = (
        Shipment.objects.select_related("carrier").only("tracking_number", "carrier__name").in_bulk(set(pairs.values()))
    )
    return {key: shipments[pk] for key, pk in pairs.items() if pk in shipments}
