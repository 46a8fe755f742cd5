"""Counting what comes in by each door, for the telemetry page. In the transaction that stored it, so exact."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from services_registry.models import DoorHour
from services_registry.telemetry.store import Written

_COUNT = f"""
INSERT INTO {DoorHour._meta.db_table} AS row
    (door, hour, lines, reports, new, known, rejected, last_seen, lag_s, timed, most_lag_s)
VALUES (%s, date_trunc('hour', %s::timestamptz, 'UTC'), %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (door, hour) DO UPDATE SET
    lines = row.lines + excluded.lines, reports = row.reports + excluded.reports, new = row.new + excluded.new,
    known = row.known + excluded.known, rejected = row.rejected + excluded.rejected,
    last_seen = greatest(row.last_seen, excluded.last_seen), lag_s = row.lag_s + excluded.lag_s,
    timed = row.timed + excluded.timed, most_lag_s = greatest(row.most_lag_s, excluded.most_lag_s)
"""  # noqa: S608  # a name of ours


def count_in(
    door: str, now: datetime, *, lines: int, reports: int, known: int, rejected: int, written: Written
) -> None:
    """Add to the door's current hour."""
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            [
                door,
                now,
                lines,
                reports,
                written.new,
                known,
                rejected,
                now,
                written.lag_s,
                written.timed,
                written.most_lag_s,
            ],
        )
