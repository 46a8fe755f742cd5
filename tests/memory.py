"""Measuring how much a piece of code holds in memory at once."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

MEGABYTE = 1 << 20


@contextmanager
def memory_grows_at_most(limit: int) -> Iterator[None]:
    """Fails when Python held more than `limit` bytes more than before, at any moment of the block."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        yield
        grown = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert grown < limit, f"{grown / MEGABYTE:.1f} MB"
