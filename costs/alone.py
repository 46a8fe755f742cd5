"""One worker at a time where a task makes rows anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection, transaction


class Work(IntEnum):
    """Keys of our own among the database's advisory locks."""

    UNIT_COSTS = 7_160_002
    WHAT_IFS = 7_160_003


@contextmanager
def alone(work: Work) -> Iterator[None]:
    """A transaction that waits for any other one of the same work."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [work])
        yield
