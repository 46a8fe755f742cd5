"""From parsed platform lines to reports and rollups, exactly once (flow 2 of the architecture).

1. `gather` sorts the lines of a chunk: reports, refused lines, and time-outs that complete a report. `columnar` does the
   same for many events at once, in columns where they have the usual shape.
2. `store` keeps the reports that are not known yet and adds them to hours, days and fleet days.
3. `intake` counts what the door brought. All in one transaction a chunk: a chunk that breaks off has not happened.
4. Functions with new time-outs are held against the rules a few seconds later (`guardrails`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import IO

from django.db import transaction
from django.utils import timezone

from services_registry.choices import Door, Origin
from services_registry.guardrails.after_ingest import look_soon
from services_registry.models import Function, FunctionDay
from services_registry.telemetry import partitions
from services_registry.telemetry.columnar import chunks_of, gather_events
from services_registry.telemetry.finder import FunctionFinder, unattributed
from services_registry.telemetry.gather import (
    REPORT_KINDS,
    Gathered,
    Refused,
    SourceLine,
    gather,
    keep_refused,
    problem_of,
    time_of,
)
from services_registry.telemetry.intake import count_in
from services_registry.telemetry.parser import PlatformLine, Reject, parse_message
from services_registry.telemetry.sources import Event, EventCounter, LineReader, events_of
from services_registry.telemetry.store import Row, write

__all__ = [
    "REPORT_KINDS", "Counts", "OwnTail", "SourceLine", "ingest", "ingest_events", "ingest_stream", "ingest_tails",
    "problem_of", "time_of", "unattributed",
]  # fmt: skip
BATCH_SIZE = 20_000
CLOSED = "late report of a day that takes none any more: it could not be told from one already counted"


@dataclass(slots=True)
class Counts:
    """What became of the lines of one source. `reports` = `new` + `known` + `incomplete` + `closed`.

    `events` counts the events of a file (a line each), `refused_events` those with something that could not be trusted.
    """

    events: int = 0
    refused_events: int = 0
    lines: int = 0
    reports: int = 0
    new: int = 0
    known: int = 0
    incomplete: int = 0
    closed: int = 0
    rejected: int = 0
    reasons: list[tuple[int, str]] = field(default_factory=list)


def ingest(lines: Iterable[SourceLine], *, door: str) -> Counts:
    """Store what the lines state. Memory is bounded by `BATCH_SIZE` lines at a time."""
    counts = Counts()
    iterator: Iterator[SourceLine] = iter(lines)
    while chunk := list(islice(iterator, BATCH_SIZE)):
        now = timezone.now()
        _store(gather(chunk, now), door, counts, now)
    return counts


def ingest_events(events: Iterable[Event], *, door: str, source: str = "", function_name: str = "") -> Counts:
    """Store what the events of a file, a delivery or a log hold. Memory is bounded by a chunk of them at a time.

    `function_name`: which function wrote all of them, where that is known.
    """
    counts, counter = Counts(), EventCounter()
    reader = LineReader(FunctionFinder(), source=source, function_name=function_name)
    for chunk in chunks_of(events):
        now = timezone.now()
        _store(gather_events(chunk, reader, counter, now), door, counts, now)
    counts.events, counts.refused_events, counts.reasons = counter.events, counter.refused, counter.reasons
    return counts


@dataclass(frozen=True, slots=True)
class OwnTail:
    """The log tail of an invocation that we made ourselves.

    `failed` is "error" or "timeout" when the answer said so: a text REPORT line does not name function errors. With a
    `report` the text is not read again.
    """

    function_name: str
    region: str
    request_id: str
    text: str
    failed: str = ""
    report: PlatformLine | None = None


def ingest_tails(tails: Sequence[OwnTail]) -> Counts:
    """Store what the log tails of our own invocations state."""
    names = {(tail.function_name, tail.region) for tail in tails}
    rows = Function.objects.filter(name__in={name for name, _region in names}).order_by("-gone")
    functions = {(row.name, row.region): row for row in rows}
    return ingest(_tail_lines(tails, functions), door=Door.TAIL)


def _tail_lines(tails: Sequence[OwnTail], functions: Mapping[tuple[str, str], Function]) -> Iterator[SourceLine]:
    now = timezone.now()
    for tail in tails:
        function = functions.get((tail.function_name, tail.region)) or unattributed(tail.region)
        for line in [tail.report] if tail.report else parse_message(tail.text):
            failed = tail.failed if _is_own(line, tail.request_id) else ""
            yield SourceLine(line, function, time_of(line) or now, tail.request_id, failed=failed)


def ingest_stream(stream: IO[str], *, function_name: str = "", door: str = Door.FILE, source: str = "") -> Counts:
    """Store a log file: plain text or NDJSON events. Lines that name no function go to "unattributed"."""
    return ingest_events(events_of(stream), door=door, source=source, function_name=function_name)


def _is_own(line: PlatformLine | Reject, request_id: str) -> bool:
    return isinstance(line, PlatformLine) and line.request_id == request_id


def _store(gathered: Gathered, door: str, counts: Counts, now: datetime) -> None:
    """One transaction: a chunk that breaks off has not happened."""
    usable = gathered.reports - gathered.incomplete
    closed = _refuse_closed(gathered, now)
    partitions.ensure_days({row.at.astimezone(UTC).date() for row in gathered.rows.values()} | gathered.ready.days)
    with transaction.atomic():
        written = write(list(gathered.rows.values()), ready=gathered.ready.text, door=door, received=now)
        known = usable - closed - written.new
        keep_refused(gathered.refused, door)
        count_in(
            door, now, lines=gathered.lines, reports=gathered.reports, known=known, rejected=len(gathered.refused),
            written=written,
        )  # fmt: skip
        if written.new:
            look_soon(row.function_id for row in gathered.rows.values() if row.status == "timeout")
    counts.lines += gathered.lines
    counts.reports += gathered.reports
    counts.incomplete += gathered.incomplete
    counts.new += written.new
    counts.known += known
    counts.closed += closed
    counts.rejected += len(gathered.refused)


def _refuse_closed(gathered: Gathered, now: datetime) -> int:
    """Take out rows of days whose keys may be forgotten: such a day takes no late lines any more; returns how many.

    Our own tails state the moment we read them, which may be the day after; hence the next day closes a day, too.
    """
    horizon = partitions.first_key_day(now)
    late = {row.key: row for row in gathered.rows.values() if row.timed and row.at.astimezone(UTC).date() <= horizon}
    if not late:
        return 0
    days = {day for row in late.values() for day in _days_of(row)}
    counted = set(
        FunctionDay.objects.filter(
            function__in={row.function_id for row in late.values()}, day__in=days, origin=Origin.REPORTS,
            since__date__lte=horizon,
        ).values_list("function_id", "day")
    )  # fmt: skip
    closed = [row for row in late.values() if any((row.function_id, day) in counted for day in _days_of(row))]
    for row in closed:
        del gathered.rows[row.key]
        gathered.refused.append(Refused("", None, CLOSED, repr(row)))
    return len(closed)


def _days_of(row: Row) -> tuple[date, date]:
    day = row.at.astimezone(UTC).date()
    return day, day + timedelta(days=1)
