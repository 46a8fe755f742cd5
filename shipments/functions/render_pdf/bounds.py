"""Ending work that takes too long or too much memory, wherever in Python it is."""

from __future__ import annotations

import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shipments.functions.runtime.errors import ItemError

_STATM = Path("/proc/self/statm")
TICK_S = 0.1
MOST_SECONDS = 30.0
MOST_MEGABYTES = 600
"""More than the process has when the work begins."""


class _Stopped(BaseException):  # noqa: N818  # not an error of the code it interrupts, and nothing there may catch it
    def __init__(self, error: ItemError) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def limited(at_most: float = MOST_SECONDS) -> Iterator[None]:
    """Raises ItemError("TooLarge") when the block runs longer or grows further. A timer looks ten times a second.

    Only the main thread can be interrupted; elsewhere the block is refused, because the promise could not be kept.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("work can be limited in the main thread only")
    seconds, megabytes = min(at_most, MOST_SECONDS), MOST_MEGABYTES
    deadline, most_kb = time.monotonic() + seconds, _resident_kb() + megabytes * 1024

    def look(number: int, frame: Any) -> None:
        if time.monotonic() > deadline:
            raise _Stopped(ItemError("TooLarge", f"the template takes longer than {seconds:g} seconds"))
        if _resident_kb() > most_kb:
            raise _Stopped(ItemError("TooLarge", f"the template needs more than {megabytes} MB of memory"))

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, TICK_S, TICK_S)
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _Stopped as stopped:
        raise stopped.error from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)  # again: a tick may have come while it was being switched off
        signal.signal(signal.SIGALRM, before)


def _resident_kb() -> int:
    """Now, not at its highest: the peak of an earlier document says nothing about this one."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize() // 1024
    except OSError:
        return 0
