"""Writing reports set by set: each line once, and only new ones into the rollups, in one transaction.

1. The rows go by COPY into a temporary table of the connection.
2. Their keys are inserted with ON CONFLICT DO NOTHING, sorted, so that two writers cannot lock each other out.
3. Reports whose key was really inserted are stored, and added up by function, hour and bucket of the histogram.
4. The sums go into hours, days and fleet days. When anything fails, nothing of all this has happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import connection, transaction

from services_registry.telemetry.histogram import GAMMA, OFFSET
from services_registry.telemetry.rollups import Hours, Sums, pour

AT_ONCE = 2_000  # rows of text handed to PostgreSQL in one piece

_TEMPORARY = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_reports (
    key uuid, function_id bigint, request_id text, digest text, at timestamptz, duration_ms float8, billed_ms integer,
    memory_mb integer, max_memory_mb integer, init_ms float8, restore_ms float8, status text, error_type text,
    timed boolean
) ON COMMIT DELETE ROWS
"""
_COPY = "COPY incoming_reports FROM STDIN"
_STORE = f"""
WITH fresh AS (
    INSERT INTO services_registry_reportkey (key, received)
    SELECT key, CASE WHEN timed THEN (%(received)s AT TIME ZONE 'UTC')::date END FROM incoming_reports ORDER BY key
    ON CONFLICT DO NOTHING RETURNING key
), found AS (
    SELECT incoming_reports.* FROM incoming_reports JOIN fresh USING (key)
), stored AS (
    INSERT INTO services_registry_invocationreport (
        function_id, request_id, digest, at, duration_ms, billed_ms, memory_mb, max_memory_mb, init_ms, restore_ms,
        status, error_type, door, received
    )
    SELECT function_id, request_id, digest, at, duration_ms, billed_ms, memory_mb, max_memory_mb, init_ms, restore_ms,
        status, error_type, %(door)s, %(received)s
    FROM found
)
SELECT function_id, floor(extract(epoch FROM at) / 3600)::bigint AS hour,
    CASE WHEN duration_ms <= 0 THEN 0
         ELSE greatest(0, least(65535, ceil(ln(duration_ms) / ln({GAMMA}::float8)) + {OFFSET}))::integer END AS bucket,
    count(*), count(*) FILTER (WHERE status IN ('error', 'timeout', 'failure')),
    count(*) FILTER (WHERE status = 'timeout'), count(init_ms), sum(duration_ms), coalesce(sum(init_ms), 0),
    sum(billed_ms)::bigint, sum(billed_ms::bigint * memory_mb), coalesce(max(max_memory_mb), 0),
    count(*) FILTER (WHERE timed),
    coalesce(sum(greatest(0, extract(epoch FROM %(received)s - at))) FILTER (WHERE timed), 0)::float8,
    coalesce(max(greatest(0, extract(epoch FROM %(received)s - at))) FILTER (WHERE timed), 0)::float8
FROM found GROUP BY 1, 2, 3
"""  # noqa: S608  # two numbers of ours


@dataclass(slots=True)
class Row:
    """One report, ready to be stored. `timed`: the line or its event states when it ended."""

    key: str
    function_id: int
    request_id: str
    digest: str
    at: datetime
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int | None
    init_ms: float | None
    restore_ms: float | None
    status: str
    error_type: str
    timed: bool


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows were new; of those that state a time, how long after it they came in: sum and most, in seconds."""

    new: int = 0
    timed: int = 0
    lag_s: float = 0.0
    most_lag_s: float = 0.0


def write(rows: Sequence[Row], *, door: str, received: datetime, ready: str = "") -> Written:
    """Store those of `rows` that are not known yet, and of `ready`, which are rows in COPY's text form already.

    No two may have the same key. Call it in a transaction.
    """
    if not rows and not ready:
        return Written()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TEMPORARY)
        with cursor.copy(_COPY) as copy:
            for piece in _pieces(rows):
                copy.write(piece)
            if ready:
                copy.write(ready)
        cursor.execute(_STORE, {"received": received, "door": door})
        groups = cursor.fetchall()
        cursor.execute("TRUNCATE incoming_reports")  # a transaction may call this twice
        pour(_hours(groups), received)
    return Written(
        sum(group[3] for group in groups),
        sum(group[12] for group in groups),
        sum(group[13] for group in groups),
        max((group[14] for group in groups), default=0.0),
    )


def _hours(groups: Iterable[tuple[float, ...]]) -> Hours:
    hours: Hours = {}
    for function_id, hour, bucket, *numbers in groups:
        key = int(function_id), int(hour)
        sums = hours.get(key)
        if sums is None:
            sums = hours[key] = Sums()
        sums.add_group(int(bucket), numbers)
    return hours


def _pieces(rows: Iterable[Row]) -> Iterator[str]:
    """PostgreSQL's text form of COPY."""
    iterator = iter(rows)
    while part := list(islice(iterator, AT_ONCE)):
        yield "".join([_text(row) for row in part])


def _text(row: Row) -> str:
    most = "\\N" if row.max_memory_mb is None else row.max_memory_mb
    init = "\\N" if row.init_ms is None else row.init_ms
    restore = "\\N" if row.restore_ms is None else row.restore_ms
    return (
        f"{row.key}\t{row.function_id}\t{_safe(row.request_id)}\t{row.digest}\t{row.at}\t"
        f"{row.duration_ms}\t{row.billed_ms}\t{row.memory_mb}\t{most}\t{init}\t{restore}\t{_safe(row.status)}\t"
        f"{_safe(row.error_type)}\t{'t' if row.timed else 'f'}\n"
    )


def _safe(text: str) -> str:
    """Text that breaks no column; characters that PostgreSQL cannot hold are left out."""
    if text.isalnum() or not any(letter in text for letter in "\\\t\n\r\x00"):
        return text
    text = text.replace("\x00", "").replace("\\", "\\\\")
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
