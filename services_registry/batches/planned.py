"""A plan: what was measured, chosen and predicted, and the same as JSON. Made in `plan`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from core.aws.invoke import SYNC_PAYLOAD_LIMIT
from services_registry.batches.capacity import Capacity
from services_registry.batches.cautions import Caution
from services_registry.batches.history import ITEM, History
from services_registry.batches.sizing import ASYNC_PAYLOAD_LIMIT, ItemBytes, Size
from services_registry.batches.spending import ASYNC_SENDS, Spending
from services_registry.batches.target import Target
from services_registry.capabilities import Capability
from services_registry.models import Function


@dataclass(slots=True)
class Plan:
    """Sizes in bytes, times in seconds, money exact; None is "not known". `largest` is the items of the fullest chunk."""

    target: Target
    noun: str
    title: str
    items: int
    chunks: int
    largest: int
    size: Size
    concurrency: int
    item_bytes: ItemBytes
    history: History
    capacity: Capacity
    spending: Spending
    labels: list[str]
    row: Function | None = None
    capability: Capability | None = None
    chunked: bool = True
    warnings: list[Caution] = field(default_factory=list)

    @property
    def chunk_size(self) -> int:
        """Most items of one chunk, as chosen."""
        return self.size.items

    @property
    def at_once(self) -> int:
        """Invocations at once, under all limits that hold now."""
        return self.capacity.at_once(self.concurrency, self.chunks)

    @property
    def timeout_s(self) -> int | None:
        return self.row.timeout_s if self.row else None

    @property
    def request_bytes(self) -> int:
        return round(self.item_bytes.mean * self.items)

    @property
    def chunk_bytes(self) -> int:
        return round(self.item_bytes.mean * self.largest)

    @property
    def largest_chunk_bytes(self) -> int:
        """What hardly any chunk exceeds."""
        return round(self.item_bytes.most_of(self.largest))

    @property
    def chunk_seconds(self) -> float | None:
        """A full chunk as it usually is (p50)."""
        return _seconds(self.history.of_chunk(self.history.p50_ms, self.largest))

    @property
    def chunk_seconds_p95(self) -> float | None:
        return _seconds(self.history.of_chunk(self.history.p95_ms, self.largest))

    @property
    def seconds(self) -> float | None:
        """The whole batch: rounds of `at_once` chunks of average size, the first with a cold start."""
        if self.history.mean_ms is None or not self.at_once:
            return None
        mean_ms = self.history.mean_ms * (self.items / self.chunks if self.history.per == ITEM else 1)
        return (math.ceil(self.chunks / self.at_once) * mean_ms + (self.history.init_ms or 0.0)) / 1000

    @property
    def seconds_ms(self) -> float | None:
        """The same in milliseconds, as durations are formatted."""
        return None if self.seconds is None else self.seconds * 1000

    def snapshot(self) -> dict[str, Any]:
        """The plan as JSON: what a batch keeps, and what API and command answer. Decimals are strings."""
        return {
            "items": self.items,
            "chunks": self.chunks,
            "chunk_size": self.chunk_size,
            "chunk_size_why": {"code": self.size.why, "text": self.size.reason},
            "concurrency": self.concurrency,
            "at_once": self.at_once,
            "free_concurrency": self.capacity.free,
            "request_bytes": self.request_bytes,
            "chunk_bytes": self.chunk_bytes,
            "largest_chunk_bytes": self.largest_chunk_bytes,
            "sync_limit_bytes": SYNC_PAYLOAD_LIMIT,
            "async_limit_bytes": ASYNC_PAYLOAD_LIMIT,
            "handoff": self.size.handoff,
            "handoff_why": self.size.handoff_reason,
            **self._times(),
            **self._money(),
            "warnings": [caution.as_json() for caution in self.warnings],
        }

    def as_json(self) -> dict[str, Any]:
        """The snapshot with what it is about: for answers, where no batch row says so."""
        about = {
            "capability": self.capability.slug if self.capability else "",
            "function": self.target.function_name,
            "region": self.target.region,
            "qualifier": self.target.qualifier,
            "labels": self.labels,
        }
        return about | self.snapshot()

    def _times(self) -> dict[str, Any]:
        per_item = self.history.per == ITEM
        return {
            "item_p50_ms": _rounded(self.history.p50_ms if per_item else None),
            "item_p95_ms": _rounded(self.history.p95_ms if per_item else None),
            "chunk_seconds": _rounded(self.chunk_seconds),
            "chunk_seconds_p95": _rounded(self.chunk_seconds_p95),
            "timeout_s": self.timeout_s,
            "seconds": _rounded(self.seconds),
            "basis": {
                "source": self.history.source,
                "samples": self.history.samples,
                "per": self.history.per,
                "text": str(self.history),
            },
        }

    def _money(self) -> dict[str, Any]:
        spending = self.spending
        return {
            "usd": _text(spending.predicted.usd),
            "eur": _text(spending.predicted.eur),
            "worst_usd": _text(spending.worst.usd),
            "worst_eur": _text(spending.worst.eur),
            "worst_sends": spending.sends,
            "worst_invocations": spending.invocations,
            "worst_async_usd": _text(spending.worst_async.usd),
            "worst_async_eur": _text(spending.worst_async.eur),
            "worst_async_sends": ASYNC_SENDS,
        }


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _text(amount: Any) -> str | None:
    return None if amount is None else format(amount, "f")
