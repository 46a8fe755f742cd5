"""Counts our own requests to AWS, by service and operation, and writes the sums down now and then.

Counting is a number in memory. A thread of its own, which ends when there is nothing to write, adds the numbers to the
day's rows; so does the end of a task. What a process that is killed has not written yet, some seconds, is lost.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

logger = logging.getLogger(__name__)

SECONDS_OF_DAY = 86_400
BYTES_OF_GB = 2**30
_FIRST_DAY = date(1970, 1, 1)
_Key = tuple[int, str, str]
"""Day since 1970 (UTC), service, operation."""

_ADD = """
INSERT INTO core_awscallday AS row (day, service, operation, calls, units)
SELECT * FROM unnest(%s::date[], %s::text[], %s::text[], %s::bigint[], %s::numeric[])
    AS given (day, service, operation, calls, units)
ORDER BY day, service, operation
ON CONFLICT (day, service, operation) DO UPDATE SET calls = row.calls + excluded.calls, units = row.units + excluded.units
"""

_lock = threading.Lock()
_counted: dict[_Key, list[Any]] = {}
_writer: threading.Thread | None = None


def count(service: str, operation: str, *, calls: int = 1, units: float | Decimal = 0) -> None:
    """One request more. `units`: what it is paid by, where that is not the request itself."""
    global _writer
    key = (int(time.time() // SECONDS_OF_DAY), service, operation)
    with _lock:
        entry = _counted.get(key)
        if entry is None:
            entry = _counted[key] = [0, Decimal(0)]
        entry[0] += calls
        if units:
            entry[1] += Decimal(units)
        if _writer is None and settings.AWS_CALLS_FLUSH_S > 0:
            _writer = threading.Thread(target=_write_now_and_then, name="aws-calls", daemon=True)
            _writer.start()


def flush() -> int:
    """Add what was counted to the day's rows; how many rows. Not inside a transaction that may be taken back."""
    global _counted
    with _lock:
        taken, _counted = _counted, {}
    if not taken:
        return 0
    rows = [
        (_FIRST_DAY + timedelta(days=day), service, operation, *sums)
        for (day, service, operation), sums in taken.items()
    ]
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])
    except Exception:
        _put_back(taken)
        raise
    return len(rows)


def flush_quietly() -> None:
    """The same; what cannot be written is kept for the next time."""
    try:
        flush()
    except Exception as error:  # noqa: BLE001  # counting must never hurt what is counted
        logger.warning("calls to AWS not written down yet error=%s", error)


def watch(client: Any, service: str) -> None:
    """Count every request that this boto3 client sends, repetitions included."""

    def sent(event_name: str, **_event: Any) -> None:
        count(service, event_name.rpartition(".")[2])

    client.meta.events.register("before-send", sent)
    for event, handler in _PAID_BY.get(service, {}).items():
        client.meta.events.register(event, handler)


def _metrics_asked(params: dict[str, Any], **_event: Any) -> None:
    count("cloudwatch", "GetMetricData", calls=0, units=len(params.get("MetricDataQueries", [])))


def _query_ended(parsed: dict[str, Any], **_event: Any) -> None:
    if parsed.get("status") == "Complete":
        scanned = Decimal(str(parsed.get("statistics", {}).get("bytesScanned", 0)))
        count("logs", "StartQuery", calls=0, units=scanned / BYTES_OF_GB)


_PAID_BY: dict[str, dict[str, Callable[..., None]]] = {
    "cloudwatch": {"provide-client-params.cloudwatch.GetMetricData": _metrics_asked},
    "logs": {"after-call.cloudwatch-logs.GetQueryResults": _query_ended},
}


def _put_back(taken: dict[_Key, list[Any]]) -> None:
    with _lock:
        for key, (calls, units) in taken.items():
            entry = _counted.setdefault(key, [0, Decimal(0)])
            entry[0] += calls
            entry[1] += units


def _write_now_and_then() -> None:
    global _writer
    while True:
        time.sleep(settings.AWS_CALLS_FLUSH_S)
        with _lock:
            if not _counted:
                _writer = None
                return
        _flush_alone()


def _flush_alone() -> None:
    """On a connection of its own, which nobody else would close."""
    try:
        flush_quietly()
    finally:
        connection.close()


def _at_exit() -> None:
    if settings.configured and settings.AWS_CALLS_FLUSH_S > 0 and _counted:
        _flush_alone()


def _in_child() -> None:
    """A forked process begins at zero: what the parent counted, the parent writes."""
    global _writer, _lock
    _lock, _writer = threading.Lock(), None
    _counted.clear()


atexit.register(_at_exit)
os.register_at_fork(after_in_child=_in_child)
