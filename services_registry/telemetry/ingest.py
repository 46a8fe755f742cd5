"""From parsed platform lines to reports and rollups, exactly once (flow 2 of the architecture).

1. Lines of one source are gathered by request id: a REPORT may be completed by the TIMEOUT line beside it.
2. Reports are inserted with ON CONFLICT DO NOTHING; the same line sent again inserts nothing.
3. Only rows that were really inserted are added to `FunctionHour` and `FunctionDay`, in the same transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TextIO

from django.db import connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from services_registry.models import Function, InvocationReport, RejectedLine
from services_registry.telemetry.parser import PlatformLine, Reject, parse_message
from services_registry.telemetry.rollups import add_to_rollups

REPORT_KINDS = {"REPORT", "platform.report"}
_PROBLEM_KINDS = {"TIMEOUT": "timeout", "RUNTIME_EXIT": "error"}
BATCH_SIZE = 5_000
INCOMPLETE = "report without id, duration or billed duration, or with an impossible one"
LARGEST = 2**31 - 1  # ms or MB; beyond any quota, and what a column holds
INGEST_LOCK = 7_305_001  # any number that no other advisory lock uses


@dataclass(slots=True)
class Counts:
    """What became of the lines of one source. `reports` = `new` + `known` + `incomplete`.

    `events` counts the events of a file (a line each), `refused_events` those with something that could not be trusted.
    """

    events: int = 0
    refused_events: int = 0
    lines: int = 0
    reports: int = 0
    new: int = 0
    known: int = 0
    incomplete: int = 0
    rejected: int = 0
    reasons: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class SourceLine:
    """One parsed line with where it came from."""

    line: PlatformLine | Reject
    function: Function
    at: datetime
    door: str
    source: str = ""
    event: int | None = None
    failed: str = ""  # what the invocation came to, when the source knows it better than the line


@dataclass(slots=True)
class _Gathered:
    reports: list[tuple[SourceLine, PlatformLine]] = field(default_factory=list)
    problems: dict[str, tuple[str, str]] = field(default_factory=dict)
    rejects: list[tuple[SourceLine, str, str]] = field(default_factory=list)


def ingest(lines: Iterable[SourceLine]) -> Counts:
    """Store what the lines state. Memory is bounded by `BATCH_SIZE` lines at a time."""
    counts = Counts()
    iterator: Iterator[SourceLine] = iter(lines)
    while chunk := list(islice(iterator, BATCH_SIZE)):
        _ingest_chunk(chunk, counts)
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
    return ingest(_tail_lines(tails, functions))


def _tail_lines(tails: Sequence[OwnTail], functions: Mapping[tuple[str, str], Function]) -> Iterator[SourceLine]:
    now = timezone.now()
    for tail in tails:
        function = functions.get((tail.function_name, tail.region)) or unattributed(tail.region)
        for line in [tail.report] if tail.report else parse_message(tail.text):
            failed = tail.failed if _is_own(line, tail.request_id) else ""
            yield SourceLine(line, function, time_of(line, now), "tail", tail.request_id, failed=failed)


def ingest_stream(stream: TextIO, *, function_name: str = "", door: str = "file", source: str = "") -> Counts:
    """Store a log file: plain text or NDJSON events. Lines that name no function go to "unattributed"."""
    from services_registry.telemetry.sources import EventCounter, read_events  # only files need the event readers

    counter = EventCounter()
    events = read_events(stream, counter, function_name=function_name, door=door, source=source)
    counts = ingest(events)
    counts.events, counts.refused_events, counts.reasons = counter.events, counter.refused, counter.reasons
    return counts


def problem_of(line: PlatformLine | Reject) -> str:
    """Why a line is refused; empty for a usable one."""
    if isinstance(line, Reject):
        return line.reason
    return INCOMPLETE if line.kind in REPORT_KINDS and not _usable(line) else ""


def unattributed(region: str = "") -> Function:
    """The row under which reports are kept whose source does not say which function wrote them."""
    function, _ = Function.objects.get_or_create(
        arn="local:unattributed",
        defaults={
            "account": "",
            "region": region,
            "name": "unattributed-logs",
            "description": "Log lines that named no function",
            "memory_mb": 128,
            "timeout_s": 900,
            "state": "Unknown",
        },
    )
    return function


def _is_own(line: PlatformLine | Reject, request_id: str) -> bool:
    return isinstance(line, PlatformLine) and line.request_id == request_id


def time_of(line: PlatformLine | Reject, default: datetime) -> datetime:
    stated = line.time if isinstance(line, PlatformLine) else None
    try:
        parsed = parse_datetime(stated) if stated else None
    except ValueError:
        parsed = None
    if parsed is None:
        return default
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _ingest_chunk(chunk: list[SourceLine], counts: Counts) -> None:
    gathered = _gather(chunk, counts)
    rows = [_row(entry, line, gathered.problems) for entry, line in gathered.reports]
    with transaction.atomic():
        # Sorted, so that two writers of the same rows cannot lock each other out.
        rows.sort(key=lambda row: (row.function_id, row.request_id, row.digest))
        unique = {(row.function_id, row.request_id, row.digest): row for row in rows}
        _one_writer_at_a_time()
        known = _known(unique)
        inserted = [row for key, row in unique.items() if key not in known]
        InvocationReport.objects.bulk_create(inserted)
        add_to_rollups(inserted)
        _keep_rejects(gathered.rejects)
    counts.new += len(inserted)
    counts.known += len(rows) - len(inserted)
    counts.rejected += len(gathered.rejects)


def _gather(chunk: list[SourceLine], counts: Counts) -> _Gathered:
    gathered = _Gathered()
    for entry in chunk:
        counts.lines += 1
        line = entry.line
        if isinstance(line, Reject):
            gathered.rejects.append((entry, line.reason, line.text))
        elif line.kind in REPORT_KINDS:
            counts.reports += 1
            if _usable(line):
                gathered.reports.append((entry, line))
            else:
                counts.incomplete += 1
                gathered.rejects.append((entry, INCOMPLETE, repr(line)))
        elif line.kind in _PROBLEM_KINDS and line.request_id:
            gathered.problems.setdefault(line.request_id, (_PROBLEM_KINDS[line.kind], line.error_type or ""))
    return gathered


def _usable(line: PlatformLine) -> bool:
    numbers = (line.duration_ms, line.billed_ms, line.memory_mb or 0, line.max_memory_mb or 0)
    return bool(line.request_id) and all(number is not None and 0 <= number <= LARGEST for number in numbers)


def _row(entry: SourceLine, line: PlatformLine, problems: dict[str, tuple[str, str]]) -> InvocationReport:
    status, error_type = line.status or "", line.error_type or ""
    if not status or status == "success":
        beside = problems.get(line.request_id or "", ("", ""))
        status = beside[0] or entry.failed or "success"
        error_type = error_type or beside[1]
    return InvocationReport(
        function=entry.function,
        request_id=(line.request_id or "")[:64],
        digest=_digest(line),
        at=entry.at,
        duration_ms=line.duration_ms or 0.0,
        billed_ms=round(line.billed_ms or 0),
        memory_mb=round(line.memory_mb or entry.function.memory_mb),
        max_memory_mb=None if line.max_memory_mb is None else round(line.max_memory_mb),
        init_ms=line.init_ms,
        restore_ms=line.restore_ms,
        status=status[:20],
        error_type=error_type[:120],
        door=entry.door,
    )


def _digest(line: PlatformLine) -> str:
    stated = (line.duration_ms, line.billed_ms, line.memory_mb, line.max_memory_mb, line.init_ms, line.restore_ms)
    text = "|".join("" if value is None else f"{value:.2f}" for value in stated)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _one_writer_at_a_time() -> None:
    """Makes "what is not known yet" and its insertion one step; a transaction here takes milliseconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [INGEST_LOCK])


def _known(unique: dict[tuple[int, str, str], InvocationReport]) -> set[tuple[int, str, str]]:
    request_ids = {request_id for _, request_id, _ in unique}
    return set(
        InvocationReport.objects.filter(request_id__in=request_ids).values_list("function_id", "request_id", "digest")
    )


def _keep_rejects(rejects: list[tuple[SourceLine, str, str]]) -> None:
    rows = [
        RejectedLine(
            door=entry.door,
            source=entry.source[:300],
            event=entry.event,
            reason=reason[:200],
            line=text[:2000].replace("\x00", ""),
            digest=hashlib.sha256(f"{entry.source}|{entry.event}|{text}".encode()).hexdigest(),
        )
        for entry, reason, text in rejects
    ]
    RejectedLine.objects.bulk_create(rows, ignore_conflicts=True)
