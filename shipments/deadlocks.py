"""Two that write many rows may order their locks in different ways; PostgreSQL then ends one, which begins again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction

T = TypeVar("T")
TRIES = 3
_DEADLOCK = "40P01"


def again_after_deadlock(write: Callable[[], T]) -> T:
    """What `write` returns; it runs in one transaction, and must be harmless to run again.

    Inside a larger transaction nothing can be tried again: the error goes to whoever began that one.
    """
    for attempt in range(1, TRIES + 1):
        try:
            with transaction.atomic():
                return write()
        except OperationalError as error:
            deadlock = getattr(error.__cause__, "sqlstate", "") == _DEADLOCK
            if not deadlock or attempt == TRIES or connection.in_atomic_block:
                raise
            time.sleep(0.1 * attempt)
    raise AssertionError("the loop returns or raises")
