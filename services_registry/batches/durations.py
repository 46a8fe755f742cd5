"""How long the invocations and the items of a batch take: histogram, percentiles, the slowest. Milliseconds throughout.

Read from the latest 10,000 finished chunks (index: batch, finished) and the first 50,000 items, so that the size of the
batch does not matter; `cut` says when there are more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from services_registry.batches.insight import LIGHT
from services_registry.models import Batch, BatchItem, Chunk

CHUNKS_READ = 10_000
ITEMS_READ = 50_000
SLOWEST = 5
STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
"""Bounds of the bins within one power of ten: about even on a logarithmic scale, and round enough to read."""
LONGEST_MS = 1_000_000.0

_CHUNKS = """
WITH latest AS (
    SELECT id, coalesce(duration_ms, seconds * 1000) AS ms, (outcome <> 'succeeded' OR items_failed > 0) AS bad
    FROM services_registry_chunk WHERE batch_id = %(batch)s AND finished IS NOT NULL
    ORDER BY finished DESC LIMIT %(most)s
)"""
_BINS = "SELECT width_bucket(ms, %(bounds)s), bad, count(*) FROM latest WHERE ms IS NOT NULL GROUP BY 1, 2"
_FACTS = """SELECT count(*), (SELECT count(*) FROM latest), max(ms),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY ms), percentile_disc(0.95) WITHIN GROUP (ORDER BY ms)
FROM latest WHERE ms IS NOT NULL"""
_SLOWEST = "SELECT id FROM latest WHERE ms IS NOT NULL ORDER BY ms DESC, id LIMIT %(slowest)s"
_ITEMS = """
WITH known AS (
    SELECT position, duration_ms AS ms FROM services_registry_batchitem
    WHERE batch_id = %(batch)s AND position < %(most)s AND duration_ms IS NOT NULL
)"""
_ITEM_FACTS = """SELECT count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY ms),
    percentile_disc(0.95) WITHIN GROUP (ORDER BY ms) FROM known"""
_SLOWEST_ITEMS = "SELECT position FROM known ORDER BY ms DESC, position LIMIT %(slowest)s"


@dataclass(frozen=True, slots=True)
class Bin:
    """Invocations that took from `low` up to `high`: those in which all went well, and the others."""

    low: float
    high: float
    good: int
    bad: int


@dataclass(frozen=True, slots=True)
class ChunkDurations:
    measured: int
    cut: bool
    longest: float | None
    p50: float | None
    p95: float | None
    bins: list[Bin]
    slowest: list[Chunk]


@dataclass(frozen=True, slots=True)
class ItemDurations:
    """Inside the function, of the items for which it says so."""

    measured: int
    cut: bool
    p50: float | None
    p95: float | None
    slowest: list[BatchItem]


def chunk_durations(batch: Batch) -> ChunkDurations:
    """By the REPORT line where we have it, else by our own clock."""
    bounds = list(_bounds())
    values = {"batch": batch.pk, "most": CHUNKS_READ, "bounds": bounds, "slowest": SLOWEST}
    measured, read, longest, p50, p95 = _rows(_CHUNKS + _FACTS, values)[0]
    counts = {(place, bad): count for place, bad, count in _rows(_CHUNKS + _BINS, values)}
    chunks = batch.chunks.defer(*LIGHT).in_bulk(slow := _ids(_rows(_CHUNKS + _SLOWEST, values)))
    return ChunkDurations(
        measured=measured,
        cut=read == CHUNKS_READ,
        longest=longest,
        p50=p50,
        p95=p95,
        bins=_bins(bounds, counts),
        slowest=[chunks[pk] for pk in slow if pk in chunks],
    )


def item_durations(batch: Batch) -> ItemDurations:
    values = {"batch": batch.pk, "most": ITEMS_READ, "slowest": SLOWEST}
    measured, p50, p95 = _rows(_ITEMS + _ITEM_FACTS, values)[0]
    positions = [row[0] for row in _rows(_ITEMS + _SLOWEST_ITEMS, values)] if measured else []
    items = {item.position: item for item in batch.items.filter(position__in=positions)}
    slowest = [items[position] for position in positions if position in items]
    return ItemDurations(measured, batch.total > ITEMS_READ, p50, p95, slowest)


def bin_place(bins: Sequence[Bin], milliseconds: float) -> float | None:
    """Where a duration lies on an axis of bins numbered from 0 (bin n reaches from n - 0.5 to n + 0.5)."""
    for place, one in enumerate(bins):
        if one.low <= milliseconds < one.high:
            return place - 0.5 + (milliseconds - one.low) / (one.high - one.low)
    return None


def bins_up_to(bins: list[Bin], milliseconds: float) -> list[Bin]:
    """The bins, carried on with empty ones until they hold a duration (for example the time-out), if it is larger."""
    if not bins:
        return bins
    low = bins[-1].high
    added = [Bin(a, b, 0, 0) for a, b in _pairs(list(_bounds())) if a >= low and a <= milliseconds]
    return [*bins, *added]


def _bounds() -> Iterator[float]:
    scale = 1.0
    while scale < LONGEST_MS:
        yield from (step * scale for step in STEPS)
        scale *= 10
    yield LONGEST_MS


def _pairs(bounds: list[float]) -> list[tuple[float, float]]:
    return list(zip([0.0, *bounds], [*bounds, float("inf")], strict=True))


def _bins(bounds: list[float], counts: dict[tuple[int, bool], int]) -> list[Bin]:
    """From the first to the last bin that holds anything; empty ones between them stay."""
    places = sorted({place for place, _bad in counts})
    if not places:
        return []
    pairs = _pairs(bounds)
    return [
        Bin(*pairs[place], counts.get((place, False), 0), counts.get((place, True), 0))
        for place in range(places[0], places[-1] + 1)
    ]


def _ids(rows: list[tuple[Any, ...]]) -> list[UUID]:
    return [row[0] for row in rows]


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
