"""Hour and day sums per function and of the whole fleet, kept up from newly inserted reports only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from services_registry.choices import Origin
from services_registry.models import Function, InvocationReport
from services_registry.telemetry.histogram import Histogram, bucket_of, decode, encode

SUMS = ("invocations", "errors", "timeouts", "cold_starts", "duration_ms", "init_ms", "billed_ms", "billed_mb_ms")
FAILED = {"error", "timeout", "failure"}
_TYPES = ("bigint", "bigint", "bigint", "bigint", "float8", "float8", "bigint", "numeric")
SECONDS_OF_HOUR = 3600


@dataclass(slots=True)
class Sums:
    """What a set of reports adds up to."""

    invocations: int = 0
    errors: int = 0
    timeouts: int = 0
    cold_starts: int = 0
    duration_ms: float = 0.0
    init_ms: float = 0.0
    billed_ms: int = 0
    billed_mb_ms: int = 0
    max_memory_mb: int = 0
    histogram: Histogram = field(default_factory=Counter)

    def add(self, report: InvocationReport) -> None:
        failed, timed_out = report.status in FAILED, report.status == "timeout"
        cold = report.init_ms is not None
        billed_mb = report.billed_ms * report.memory_mb
        numbers = (1, failed, timed_out, cold, report.duration_ms, report.init_ms or 0.0, report.billed_ms, billed_mb)
        self.add_group(bucket_of(report.duration_ms), (*numbers, report.max_memory_mb or 0))

    def add_group(self, bucket: int, numbers: Sequence[Any]) -> None:
        """`numbers`: those of `SUMS` in order, then the largest memory, of reports that all fall into `bucket`."""
        self.invocations += numbers[0]
        self.errors += numbers[1]
        self.timeouts += numbers[2]
        self.cold_starts += numbers[3]
        self.duration_ms += numbers[4]
        self.init_ms += numbers[5]
        self.billed_ms += numbers[6]
        self.billed_mb_ms += int(numbers[7])
        self.max_memory_mb = max(self.max_memory_mb, numbers[8])
        self.histogram[bucket] += numbers[0]

    def add_sums(self, other: Sums) -> None:
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.max_memory_mb = max(self.max_memory_mb, other.max_memory_mb)
        self.histogram.update(other.histogram)

    def numbers(self) -> list[Any]:
        return [getattr(self, name) for name in SUMS]


Hours = dict[tuple[int, int], Sums]
"""Sums by function and hour (whole hours since 1970, UTC)."""


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of rollups; `keys`: the columns, with their types, that name a row beside its origin."""

    name: str
    keys: tuple[tuple[str, str], ...]
    since: bool = False


_HOURS = _Table("services_registry_functionhour", (("function_id", "bigint"), ("hour", "timestamptz")))
_DAYS = _Table("services_registry_functionday", (("function_id", "bigint"), ("day", "date")), since=True)
_FLEET = _Table("services_registry_fleetday", (("day", "date"),))
_PLACE = (("region", "text"), ("architecture", "text"))
_FLEET_HOURS = _Table("services_registry_fleethour", (("hour", "timestamptz"), *_PLACE))
_FLEET_USAGE = _Table("services_registry_fleetusage", (("day", "date"), *_PLACE))


def add_to_rollups(reports: Iterable[InvocationReport]) -> None:
    """Add newly inserted reports to their hour and day. Call it in the transaction that inserted them."""
    hours: Hours = {}
    for report in reports:
        hour = int(report.at.timestamp() // SECONDS_OF_HOUR)
        hours.setdefault((report.function_id, hour), Sums()).add(report)
    pour(hours, timezone.now())


def pour(hours: Hours, now: datetime) -> None:
    """Add the sums to hours, days and the fleet.

    Always in this order and sorted, so that two writers wait for each other instead of locking each other out.
    """
    by_hour = {(function_id, _time_of(hour)): sums for (function_id, hour), sums in hours.items()}
    pour_both(by_hour, _added(((pk, at.date()), sums) for (pk, at), sums in by_hour.items()), now)


def pour_both(
    hours: Mapping[tuple[int, datetime], Sums], days: Mapping[tuple[int, date], Sums], now: datetime, *,
    origin: str = Origin.REPORTS,
) -> None:  # fmt: skip
    """The same for hours and days that were added up apart; the fleet's also by all that a price depends on."""
    places = _places({function_id for function_id, _time in [*hours, *days]})
    with transaction.atomic():
        _pour_into(_HOURS, hours, now, origin)
        _pour_into(_DAYS, days, now, origin)
        _pour_into(_FLEET, _added(((day,), sums) for (_id, day), sums in days.items()), now, origin)
        placed_hours = _added(((at, *places[pk]), sums) for (pk, at), sums in hours.items() if pk in places)
        _pour_into(_FLEET_HOURS, placed_hours, now, origin)
        placed_days = _added(((day, *places[pk]), sums) for (pk, day), sums in days.items() if pk in places)
        _pour_into(_FLEET_USAGE, placed_days, now, origin)


def _added(rows: Iterable[tuple[tuple[Any, ...], Sums]]) -> dict[tuple[Any, ...], Sums]:
    total: dict[tuple[Any, ...], Sums] = {}
    for key, sums in rows:
        total.setdefault(key, Sums()).add_sums(sums)
    return total


def _time_of(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * SECONDS_OF_HOUR, UTC)


def _places(function_ids: set[int]) -> dict[int, tuple[str, str]]:
    """Region and architecture of each."""
    rows = Function.objects.filter(pk__in=function_ids).order_by().values_list("pk", "region", "architecture")
    return {pk: (region, architecture) for pk, region, architecture in rows}


def _pour_into(
    table: _Table, rows: Mapping[tuple[Any, ...], Sums], now: datetime, origin: str = Origin.REPORTS
) -> None:
    """Adds in the database; a row that was there before is locked by that, so its histogram can be merged here."""
    if not rows:
        return
    keys = sorted(rows)
    columns = [[key[place] for key in keys] for place in range(len(table.keys))]
    numbers = [list(column) for column in zip(*(rows[key].numbers() for key in keys), strict=True)]
    memory = [rows[key].max_memory_mb for key in keys]
    histograms = [encode(rows[key].histogram) for key in keys]
    with connection.cursor() as cursor:
        stamps = [now] * (1 + table.since)
        cursor.execute(_upsert(table), [str(origin), *stamps, *columns, *numbers, memory, histograms])
        merged = [
            (pk, encode(_merged(before, rows[_key_of(key)].histogram)))
            for pk, inserted, before, *key in cursor.fetchall()
            if not inserted
        ]
        if merged:
            cursor.execute(
                sql.SQL(
                    "UPDATE {} AS row SET histogram = given.histogram "
                    "FROM unnest(%s::bigint[], %s::bytea[]) AS given (id, histogram) WHERE row.id = given.id"
                ).format(sql.Identifier(table.name)),
                [[pk for pk, _data in merged], [data for _pk, data in merged]],
            )


def _merged(before: bytes, more: Histogram) -> Histogram:
    histogram = decode(before)
    for bucket, count in more.items():
        histogram[bucket] += count
    return histogram


def _key_of(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(value.astimezone(UTC) if isinstance(value, datetime) else value for value in values)


def _upsert(table: _Table) -> sql.Composed:
    keys = [name for name, _type in table.keys]
    given = [*table.keys, *zip(SUMS, _TYPES, strict=True), ("max_memory_mb", "integer"), ("histogram", "bytea")]
    names = [name for name, _type in given]
    since = sql.SQL(", since") if table.since else sql.SQL("")
    adds = [
        sql.SQL("{0} = row.{0} + excluded.{0}").format(sql.Identifier(name)) for name in SUMS
    ]  # the histogram is merged by the caller
    return sql.SQL(
        "INSERT INTO {table} AS row ({names}, origin, updated{since}) "
        "SELECT {names}, %s::text, %s::timestamptz{now} FROM unnest({arrays}) AS given ({names}) ORDER BY {keys} "
        "ON CONFLICT ({keys}, origin) DO UPDATE SET {adds}, "
        "max_memory_mb = greatest(row.max_memory_mb, excluded.max_memory_mb), updated = excluded.updated "
        "RETURNING row.id, row.xmax = 0, row.histogram, {returned}"
    ).format(
        table=sql.Identifier(table.name),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        arrays=sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.SQL(kind)) for _name, kind in given),
        keys=sql.SQL(", ").join(map(sql.Identifier, keys)),
        returned=sql.SQL(", ").join(sql.SQL("row.{}").format(sql.Identifier(key)) for key in keys),
        adds=sql.SQL(", ").join(adds),
        since=since,
        now=sql.SQL(", %s::timestamptz") if table.since else sql.SQL(""),
    )
