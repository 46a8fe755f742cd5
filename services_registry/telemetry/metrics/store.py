"""Writing readings: the newest replaces what was read before, and what is the same is not touched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from psycopg import sql

from core.aws.metrics import Reading
from services_registry.models import MetricDay, MetricHour, MetricMinute

AT_ONCE = 20_000
HOURS_KEPT = timedelta(days=400)
MINUTES_KEPT = timedelta(days=15)  # as long as CloudWatch has them
_COLUMNS = (
    ("invocations", "bigint"), ("errors", "bigint"), ("throttles", "bigint"), ("duration_ms", "float8"),
    ("duration_max_ms", "float8"), ("concurrency", "integer"),
)  # fmt: skip


def write_readings(
    model: type[MetricHour] | type[MetricMinute], at: str, readings: Sequence[tuple[int, Reading]]
) -> int:
    """Store readings by function and time (the column `at`); returns how many there were. Sorted, so two writers wait."""
    ordered = sorted(readings, key=lambda entry: (entry[0], entry[1].at))
    statement = _upsert(model._meta.db_table, at)
    for first in range(0, len(ordered), AT_ONCE):
        part = ordered[first : first + AT_ONCE]
        columns: list[list[Any]] = [[pk for pk, _reading in part], [reading.at for _pk, reading in part]]
        columns += [[getattr(reading, name) for _pk, reading in part] for name, _type in _COLUMNS]
        with connection.cursor() as cursor:
            cursor.execute(statement, columns)
    return len(ordered)


def forget_old() -> int:
    """Drop minutes and hours past their time; returns how many rows went."""
    now = timezone.now()
    gone = 0
    for rows in (
        MetricMinute.objects.filter(minute__lt=now - MINUTES_KEPT),
        MetricHour.objects.filter(hour__lt=now - HOURS_KEPT),
        MetricDay.objects.filter(day__lt=(now - HOURS_KEPT).date()),
    ):
        gone += rows.delete()[0]
    return gone


def _upsert(table: str, at: str) -> sql.Composed:
    names = [name for name, _type in _COLUMNS]
    kinds = ["bigint", "timestamptz", *(kind for _name, kind in _COLUMNS)]
    return sql.SQL(
        "INSERT INTO {table} AS row (function_id, {at}, {names}) SELECT * FROM unnest({arrays}) "
        "ON CONFLICT (function_id, {at}) DO UPDATE SET {sets} WHERE ({old}) IS DISTINCT FROM ({new})"
    ).format(
        table=sql.Identifier(table),
        at=sql.Identifier(at),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        arrays=sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.SQL(kind)) for kind in kinds),
        sets=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names),
        old=sql.SQL(", ").join(sql.SQL("row.{}").format(sql.Identifier(name)) for name in names),
        new=sql.SQL(", ").join(sql.SQL("excluded.{}").format(sql.Identifier(name)) for name in names),
    )
