"""One statement: finished invocations of some days, priced, divided over their items and added up.

Amounts are whole numbers of 1e-30 USD while they are divided: `div` and `mod` of numerics are exact, and what does not
divide evenly goes to the first items of an invocation (as `selectors.share_of` does it).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q

from costs.choices import UnitPart
from costs.chunk_prices import ChunkPrices
from costs.estimate import EXACT
from costs.selectors import OF_CONNECTIONS, OF_FILES, OF_MESSAGES, OF_SHIPMENTS
from services_registry.models import Batch, BatchItem, Chunk
from services_registry.pricing import Usage
from shipments.models import Carrier, CarrierConnection, CarrierMessage, RemoteFile, Shipment

DIGITS = 30
DIVIDED = """
WITH priced (name, region, day, memory_mb, per_mb_ms, per_ms, per_request) AS (
    SELECT * FROM unnest(%(names)s::text[], %(regions)s::text[], %(days)s::date[], %(memory)s::int[],
                         %(per_mb_ms)s::numeric[], %(per_ms)s::numeric[], %(per_request)s::numeric[])),
paid AS (
    SELECT c.id AS chunk, b.id AS batch, b.capability, b.sample,
           c.billed_ms * (coalesce(c.memory_mb, p.memory_mb) * p.per_mb_ms + p.per_ms)
           + greatest(c.billed_invocations, 1) * p.per_request AS units
      FROM {chunk} c JOIN {batch} b ON b.id = c.batch_id
      JOIN priced p ON p.name = b.function_name AND p.region = coalesce(nullif(b.region, ''), %(region)s)
                   AND p.day = (c.finished AT TIME ZONE 'UTC')::date
     WHERE c.batch_id = ANY(%(batches)s) AND c.finished >= %(start)s AND c.finished < %(end)s
       AND c.billed_ms IS NOT NULL AND coalesce(c.memory_mb, p.memory_mb) IS NOT NULL),
shared AS (
    SELECT p.chunk, p.batch, p.capability, p.sample, i.id AS item,
           CASE WHEN i.key ~ '^[0-9]{{1,18}}$' THEN i.key::bigint END AS number,
           substring(i.key FROM '^manifest-([0-9]{{1,18}})-')::bigint AS of_carrier,
           div(p.units, count(i.id) OVER w + (i.id IS NULL)::int)
           + (row_number() OVER (w ORDER BY i.position) <= mod(p.units, count(i.id) OVER w + (i.id IS NULL)::int))::int
           AS units
      FROM paid p LEFT JOIN {item} i ON i.chunk_id = p.chunk
    WINDOW w AS (PARTITION BY p.chunk)),
owned AS (
    SELECT x.*, coalesce(s.id, m.shipment_id, f.shipment_id) AS shipment,
           coalesce(s.carrier_id, m.carrier_id, fc.carrier_id, n.carrier_id, mc.id) AS carrier
      FROM shared x
      LEFT JOIN {shipment} s ON x.capability = ANY(%(of_shipments)s) AND s.id = x.number
      LEFT JOIN {message} m ON x.capability = ANY(%(of_messages)s) AND m.id = x.number
      LEFT JOIN {file} f ON x.capability = ANY(%(of_files)s) AND f.id = x.number
      LEFT JOIN {connection} fc ON fc.id = f.connection_id
      LEFT JOIN {connection} n ON x.capability = ANY(%(of_connections)s) AND n.id = x.number
      LEFT JOIN {carrier} mc ON mc.id = x.of_carrier)
"""
ADDED_UP = """
SELECT GROUPING(carrier, capability, batch), carrier, capability, batch,
       count(DISTINCT shipment), count(item) FILTER (WHERE shipment IS NOT NULL),
       coalesce(sum(units) FILTER (WHERE shipment IS NOT NULL), 0), count(item) FILTER (WHERE shipment IS NULL),
       coalesce(sum(units) FILTER (WHERE shipment IS NULL), 0), bool_or(sample)
  FROM owned
 GROUP BY GROUPING SETS ((carrier, capability), (carrier), (capability), (), (carrier, batch))
HAVING count(*) > 0
"""
_PARTS = {0b001: UnitPart.BOTH, 0b011: UnitPart.CARRIER, 0b101: UnitPart.KIND, 0b111: UnitPart.ALL}
OF_BATCH = 0b010


@dataclass(frozen=True, slots=True)
class Added:
    """One sum. `part` is None for the part of a `batch` that is of `carrier`."""

    part: UnitPart | None
    carrier: int | None
    capability: str
    batch: UUID | None
    deliveries: int
    items: int
    usd: Decimal
    other_items: int
    other_usd: Decimal
    sample: bool

    @property
    def work(self) -> dict[str, Any]:
        """What goes into `WorkFields`."""
        names = ("deliveries", "items", "usd", "other_items", "other_usd", "sample")
        return {name: getattr(self, name) for name in names}


def bounds_of(first: date, last: date) -> tuple[datetime, datetime]:
    """Whole UTC days, the last included, as a half-open stretch of time."""
    return datetime.combine(first, time(), UTC), datetime.combine(last + timedelta(days=1), time(), UTC)


def batches_in(first: date, last: date) -> list[Batch]:
    """Batches that may have invocations that finished in these days."""
    start, end = bounds_of(first, last)
    rows = Batch.objects.filter(Q(finished__isnull=True) | Q(finished__gte=start), created__lt=end).order_by()
    return list(rows.only("function_name", "region"))


def added_up(first: date, last: date) -> Iterator[Added]:
    """The sums of the invocations that finished in these UTC days."""
    batches = batches_in(first, last)
    if not batches:
        return
    with connection.cursor() as cursor:
        cursor.execute(named(DIVIDED + ADDED_UP), parameters(batches, first, last))
        rows = cursor.fetchall()
    for grouping, carrier, capability, batch, deliveries, items, units, other_items, other_units, sample in rows:
        part = None if grouping == OF_BATCH else _PARTS[grouping]
        yield Added(
            part,
            carrier,
            capability or "",
            batch,
            deliveries,
            items,
            _usd(units),
            other_items,
            _usd(other_units),
            sample,
        )


def named(statement: str) -> str:
    """With the names of the tables."""
    models = {"chunk": Chunk, "batch": Batch, "item": BatchItem, "shipment": Shipment, "message": CarrierMessage}
    models |= {"file": RemoteFile, "connection": CarrierConnection, "carrier": Carrier}
    return statement.format(**{name: model._meta.db_table for name, model in models.items()})


def parameters(batches: Sequence[Batch], first: date, last: date) -> dict[str, Any]:
    """Prices by function, region and day, as whole numbers of 1e-30 USD, and what else the statement asks for."""
    start, end = bounds_of(first, last)
    places = sorted({(batch.function_name, batch.region or settings.AWS_REGION) for batch in batches})
    prices = ChunkPrices((name for name, _region in places), first)
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    rows = [row for name, region in places for day in days if (row := _price_row(prices, name, region, day))]
    columns = list(zip(*rows, strict=True)) or [()] * 7
    names = ("names", "regions", "days", "memory", "per_mb_ms", "per_ms", "per_request")
    return {
        **{name: list(column) for name, column in zip(names, columns, strict=True)},
        "region": settings.AWS_REGION, "batches": [batch.pk for batch in batches], "start": start, "end": end,
        "of_shipments": list(OF_SHIPMENTS), "of_messages": list(OF_MESSAGES), "of_files": list(OF_FILES),
        "of_connections": list(OF_CONNECTIONS),
    }  # fmt: skip


def _price_row(prices: ChunkPrices, name: str, region: str, day: date) -> tuple[Any, ...] | None:
    """What one MB for one ms, one ms (for /tmp) and one request cost; None where no price is known."""
    function = prices.function(name, region)
    memory = prices.past.on(function, "memory_mb", day) if function else None
    one_ms = prices.usage(name, region, day, billed_ms=1, requests=0, memory_mb=1)
    if one_ms is None:
        return None
    place = one_ms.region, one_ms.architecture, day
    costs = [
        prices.book.cost(Usage(*place, requests, mb_ms, tmp))
        for requests, mb_ms, tmp in (
            (0, Decimal(1), Decimal(0)), (0, Decimal(0), one_ms.tmp_mb_ms), (1, Decimal(0), Decimal(0)),
        )
    ]  # fmt: skip
    if None in costs:
        return None
    return name, region, day, memory, *(_units(usd) for usd in costs if usd is not None)


def _units(usd: Decimal) -> Decimal:
    """Whole: a price has 12 decimals, and 1 / 1,024,000 has 13."""
    with localcontext(EXACT):
        units = usd.scaleb(DIGITS)
        if units != units.to_integral_value():
            message = f"{usd} USD has more than {DIGITS} decimals"
            raise ValueError(message)
        return units.to_integral_value()


def _usd(units: Decimal) -> Decimal:
    with localcontext(EXACT):
        return Decimal(units).scaleb(-DIGITS)
