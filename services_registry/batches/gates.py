"""Stepping back from a function that AWS throttles, for this process.

Additive increase, multiplicative decrease, as TCP does it: a throttle lowers the number of invocations at once, every
success raises it a little until it no longer matters. When nothing gets through any more, or AWS names a time, the gate
closes for a jittered, growing moment.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from services_registry.batches.fair import FunctionKey

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 10.0
DECREASE = 0.7
SHUT_AFTER = 3
"""So many throttles in a row, and all that were under way, before nothing is tried for a moment."""
_random = random.SystemRandom()


def jittered(seconds: float) -> float:
    return seconds * _random.uniform(0.75, 1.25)


@dataclass
class _Gate:
    limit: float = float("inf")
    closed_until: float = 0.0
    streak: int = 0


@dataclass
class Gates:
    """Safe for many threads. Times are of the monotonic clock, so that a clock that jumps changes nothing."""

    _gates: dict[FunctionKey, _Gate] = field(default_factory=dict)
    _under_way: Counter[FunctionKey] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, function: FunctionKey) -> None:
        """An invocation is sent."""
        with self._lock:
            self._under_way[function] += 1

    def end(self, function: FunctionKey) -> None:
        """Its answer is here, whatever it says."""
        with self._lock:
            self._under_way[function] -= 1

    def throttled(self, function: FunctionKey, retry_after: float | None) -> float:
        """AWS put an invocation off; returns the pause in seconds."""
        with self._lock:
            under_way = self._under_way[function] + 1
            gate = self._gates.setdefault(function, _Gate())
            pause = jittered(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(gate.streak, 10)))
            pause = max(retry_after or 0.0, pause)
            gate.streak += 1
            gate.limit = max(1.0, min(gate.limit, float(under_way)) * DECREASE)
            if retry_after or gate.streak > max(SHUT_AFTER, under_way):
                gate.closed_until = max(gate.closed_until, time.monotonic() + pause)
            return pause

    def answered(self, function: FunctionKey) -> None:
        """AWS took an invocation."""
        gate = self._gates.get(function)
        if gate is None:
            return
        with self._lock:
            gate.streak = 0
            gate.limit += 1
            if gate.limit > 1000:
                self._gates.pop(function, None)

    def limit(self, function: FunctionKey, limit: int) -> int:
        """The lower of a limit and what the gate lets through now."""
        gate = self._gates.get(function)
        if gate is None:
            return limit
        return 0 if time.monotonic() < gate.closed_until else min(limit, max(1, int(min(gate.limit, 1e9))))

    def opens_in(self) -> float | None:
        """Seconds until the next closed gate opens; None when none is closed."""
        now = time.monotonic()
        waits = [gate.closed_until - now for gate in list(self._gates.values()) if gate.closed_until > now]
        return min(waits, default=None)
