"""Chunks claimed ahead of a free place, so that a quick function need not wait for the next turn.

Only of functions quicker than `QUICK_S`: nobody waits long behind them. They hold no place; they are not begun before one
of their batch is free, and they go back into the queue when that does not happen soon. Not for several threads: the runner
locks.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Collection, Sequence
from uuid import UUID

from services_registry.batches.claims import Claim
from services_registry.batches.fair import FunctionKey

QUICK_S = 0.25
MOST_AHEAD = 16
KEPT_S = 2.0
WEIGHT = 0.2
"""Of the latest invocation in the running mean of a function's duration."""


class Hand:
    def __init__(self) -> None:
        self._claims: defaultdict[UUID, deque[Claim]] = defaultdict(deque)
        self._seconds: dict[FunctionKey, float] = {}

    def ids(self) -> list[UUID]:
        return [claim.chunk_id for claims in self._claims.values() for claim in claims]

    def counts(self) -> dict[UUID, int]:
        return {batch_id: len(claims) for batch_id, claims in self._claims.items() if claims}

    def took(self, function: FunctionKey, seconds: float) -> None:
        """An invocation of a function took so long."""
        self._seconds[function] = (1 - WEIGHT) * self._seconds.get(function, seconds) + WEIGHT * seconds

    def wanted(self, _batch_id: UUID, function: FunctionKey, active: int) -> int:
        """How many chunks should be in hand: a round of a quick function, nothing of others."""
        return min(MOST_AHEAD, active) if self._seconds.get(function, QUICK_S) < QUICK_S else 0

    def add(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            self._claims[claim.batch_id].append(claim)

    def take(self, batch_id: UUID, count: int) -> list[Claim]:
        """The oldest of a batch, up to `count`."""
        claims = self._claims.get(batch_id)
        return [claims.popleft() for _ in range(min(count, len(claims)))] if claims else []

    def drop(self, batches: Collection[UUID] | None) -> list[UUID]:
        """Take out those of these batches and those kept for too long; all of them without `batches`."""
        now = time.monotonic()
        dropped: list[UUID] = []
        for batch_id, claims in list(self._claims.items()):
            if batches is None or batch_id in batches or (claims and now - claims[0].at > KEPT_S):
                dropped += [claim.chunk_id for claim in claims]
                del self._claims[batch_id]
        return dropped
