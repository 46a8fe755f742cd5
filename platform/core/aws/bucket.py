"""A token bucket: keeps this process under AWS's rate for management calls."""

from __future__ import annotations

import threading
import time


class TokenBucket:
    """`rate` calls a second on average, at most `burst` at once. Safe for many threads; waiters are served in turn."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._filled = time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Wait until a call is allowed; returns the seconds waited."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self.burst, self._tokens + (now - self._filled) * self.rate)
            self._filled = now
            # Going below zero books the next free moment, so that nobody is overtaken for ever.
            self._tokens -= 1
            wait = max(0.0, -self._tokens / self.rate)
        if wait:
            time.sleep(wait)
        return wait
