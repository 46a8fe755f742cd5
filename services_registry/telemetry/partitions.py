"""The day partitions of reports, and what is forgotten when. See docs/decisions/0008.

Kept are the days from `REPORT_DAYS` before today to tomorrow, each a partition; a line of any other day goes to the
partition without bounds and stays `REPORT_DAYS` from the day it came in. Days are UTC.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from psycopg import sql

from services_registry.models import InvocationReport, RejectedLine, ReportKey

logger = logging.getLogger(__name__)

TABLE: Final = "services_registry_invocationreport"
OTHER: Final = f"{TABLE}_other"
AHEAD: Final = 2  # days
AT_ONCE: Final = 20_000
_NAME: Final = re.compile(rf"{TABLE}_p(\d{{8}})")
_DDL_LOCK: Final = 7_305_002  # any number that no other advisory lock uses
_there: set[date] = set()
"""Days whose partition this process has seen. One that went meanwhile does no harm: rows go to the other partition."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What the nightly task did."""

    made: int
    dropped: int
    reports: int
    keys: int
    rejects: int


def ensure_days(days: Iterable[date]) -> int:
    """Make the partitions of those `days` that are kept and have none yet; returns how many were made."""
    today = timezone.now().astimezone(UTC).date()
    first, last = today - timedelta(days=settings.REPORT_DAYS), today + timedelta(days=AHEAD)
    made = 0
    for day in sorted({day for day in days if first <= day <= last and day not in _there}):
        made += _ensure(day)
        _there.add(day)
    return made


def clean() -> Cleaned:
    """Make the next days' partitions, drop those past their time, forget old keys and rejected lines."""
    now = timezone.now().astimezone(UTC)
    today = now.date()
    _there.clear()
    made = ensure_days({today + timedelta(days=ahead) for ahead in range(AHEAD + 1)} | _waiting(today))
    dropped = sum(_drop(day) for day in _days() if day < today - timedelta(days=settings.REPORT_DAYS))
    old = now - timedelta(days=settings.REPORT_DAYS)
    return Cleaned(
        made=made,
        dropped=dropped,
        reports=_forget(OTHER, old),
        keys=_forget(ReportKey._meta.db_table, first_key_day(now)),
        rejects=RejectedLine.objects.filter(at__lt=old).delete()[0],
    )


def first_key_day(now: datetime) -> date:
    """Keys received before this day are forgotten. A day of a function closes to late lines one day earlier."""
    return now.astimezone(UTC).date() - timedelta(days=settings.REPORT_KEY_DAYS)


def _waiting(today: date) -> set[date]:
    """Kept days of which the partition without bounds holds rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT DISTINCT (at AT TIME ZONE 'UTC')::date FROM {} WHERE at >= %s").format(
                sql.Identifier(OTHER)
            ),
            [datetime.combine(today - timedelta(days=settings.REPORT_DAYS), time(), UTC)],
        )
        return {day for (day,) in cursor.fetchall()}


def _days() -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE])
        names = [_NAME.fullmatch(name) for (name,) in cursor.fetchall()]
    return sorted(datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC).date() for found in names if found)


def _ensure(day: date) -> bool:
    """The partition is filled with what the other one holds of its day, then attached: readers are not held up long."""
    name = f"{TABLE}_p{day:%Y%m%d}"
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = start + timedelta(days=1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_DDL_LOCK])
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if cursor.fetchone() == (True,):
            return False
        names = {"name": sql.Identifier(name), "table": sql.Identifier(TABLE), "other": sql.Identifier(OTHER)}
        bounds = {"start": sql.Literal(start.isoformat()), "end": sql.Literal(end.isoformat())}
        for statement in (
            "CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
            "LOCK TABLE {other} IN ACCESS EXCLUSIVE MODE",
            "WITH moved AS (DELETE FROM {other} WHERE at >= {start} AND at < {end} RETURNING *) "
            "INSERT INTO {name} SELECT * FROM moved",
            "ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})",
        ):
            cursor.execute(sql.SQL(statement).format(**names, **bounds))
    return True


def _drop(day: date) -> bool:
    """False when somebody reads it for longer than we wait; the next night tries again."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
            cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(f"{TABLE}_p{day:%Y%m%d}")))
    except OperationalError:
        logger.warning("partition in use, not dropped day=%s", day)
        return False
    return True


def _forget(table: str, before: datetime | date) -> int:
    """Delete what was received before, in pieces, so that no transaction holds many rows."""
    piece = sql.SQL("DELETE FROM {0} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {0} WHERE received < %s LIMIT %s))")
    statement = piece.format(sql.Identifier(table))
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [before, AT_ONCE])
            gone: int = cursor.rowcount
        total += gone
        if gone < AT_ONCE:
            return total


assert InvocationReport._meta.db_table == TABLE  # noqa: S101  # the names above are part of the schema
