"""How many items go into one chunk, and how they travel: inside the call, or through object storage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from django.utils.translation import gettext as _

from core.formats import bytes_text, duration_ms_text
from services_registry.batches.request import INLINE_LIMIT

INLINE, STORAGE = "inline", "object_storage"
BINDING, TIME, BYTES, ASKED, PLAIN = "binding", "time", "bytes", "asked", "plain"
TIME_SHARE = 0.6
"""Of the function's time-out that a chunk may need at p95: room for a slow day."""
FEW_ITEMS = 10
"""Chunks are not cut below this just to keep their items inside the call: storage costs less than more invocations."""
ASYNC_PAYLOAD_LIMIT = 1_048_576
"""Bytes of an asynchronous event (AWS Lambda quotas, read 2026-11-23)."""


@dataclass(frozen=True, slots=True)
class ItemBytes:
    """The sizes of a few measured items. `exact` when these were all of them."""

    sizes: Sequence[int]
    exact: bool = False

    @property
    def mean(self) -> float:
        return fmean(self.sizes) if self.sizes else 0.0

    def most_of(self, items: int) -> float:
        """What so many items stay under, with about 97 % certainty as far as a sample can tell: the expected sum and
        two standard deviations of it (of the items themselves, and of the mean taken from a sample)."""
        if self.exact and items <= len(self.sizes):
            return float(sum(sorted(self.sizes, reverse=True)[:items]))
        spread = stdev(self.sizes) if len(self.sizes) > 1 else 0.0
        return items * self.mean + 2 * spread * math.sqrt(items * (1 + items / max(1, len(self.sizes))))

    def fit(self, limit: int, ceiling: int) -> int:
        """The largest number of items up to `ceiling` that stays within `limit` bytes; 0 when not even one does."""
        low, high = 0, ceiling
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.most_of(middle) <= limit else (low, middle - 1)
        return low


@dataclass(frozen=True, slots=True)
class Size:
    """Items of one chunk, what decided that (`why`, one of the words above), and both reasons in words."""

    items: int
    why: str
    reason: str
    handoff: str
    handoff_reason: str

    @property
    def handoff_label(self) -> str:
        return _("inside the call") if self.handoff == INLINE else _("through object storage")


def choose_size(
    *,
    ceiling: int,
    asked: int | None,
    items: int,
    item_bytes: ItemBytes,
    item_p95_ms: float | None,
    init_ms: float | None,
    timeout_s: int | None,
) -> Size:
    """The largest size up to `ceiling` whose chunks stay clear of the time-out and, if they stay sensible, inline.

    `asked` can only lower it. `items` is how many there are in all: a chunk never holds more.
    """
    size, why, reason = ceiling, BINDING, _("the most its binding allows")
    by_time = _by_time(item_p95_ms, init_ms, timeout_s)
    if by_time is not None and timeout_s and by_time < size:
        size, why = by_time, TIME
        reason = _("so that a slow chunk (p95) stays under %(share)d %% of the function's %(limit)s") % {
            "share": TIME_SHARE * 100, "limit": duration_ms_text(timeout_s * 1000),
        }  # fmt: skip
    by_bytes = item_bytes.fit(INLINE_LIMIT, min(size, items))
    if FEW_ITEMS <= by_bytes < min(size, items):
        size, why = by_bytes, BYTES
        reason = _("so that the items travel inside the call, up to %(limit)s") % {"limit": bytes_text(INLINE_LIMIT)}
    if asked is not None and max(1, asked) < size:
        size, why, reason = max(1, asked), ASKED, _("as you asked; the planner would take up to %(n)d") % {"n": size}
    return Size(size, why, reason, *handoff_of(item_bytes, min(size, items)))


def handoff_of(item_bytes: ItemBytes, items: int) -> tuple[str, str]:
    """How a chunk of so many items travels, and why."""
    if not item_bytes.sizes:
        return INLINE, _("its size could not be measured; the engine decides when it sends")
    most = item_bytes.most_of(items)
    words = {"bytes": bytes_text(most), "limit": bytes_text(INLINE_LIMIT), "n": item_bytes.fit(INLINE_LIMIT, items)}
    if most <= INLINE_LIMIT:
        return INLINE, _("a chunk has about %(bytes)s; up to %(limit)s travel inside the call") % words
    text = _("a chunk has up to %(bytes)s, more than the %(limit)s that travel inside a call (%(n)d items would fit)")
    return STORAGE, text % words


def _by_time(item_p95_ms: float | None, init_ms: float | None, timeout_s: int | None) -> int | None:
    """How many items fit into the allowed share of the time-out, a cold start included; None while unknown."""
    if not item_p95_ms or not timeout_s:
        return None
    room_ms = TIME_SHARE * timeout_s * 1000 - (init_ms or 0.0)
    return max(1, int(room_ms // item_p95_ms))
