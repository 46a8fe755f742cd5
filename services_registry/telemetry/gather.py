"""From parsed lines to rows: what is stored, what is refused, and why.

Lines of one chunk are gathered by request id: a REPORT may be completed by the TIMEOUT line beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.utils.dateparse import parse_datetime

from services_registry.models import Function, RejectedLine
from services_registry.telemetry.identity import digest_of, key_of
from services_registry.telemetry.parser import PlatformLine, Reject
from services_registry.telemetry.store import Row

REPORT_KINDS = {"REPORT", "platform.report"}
INCOMPLETE = "report without id, duration or billed duration, or with an impossible one"
FUTURE = "report of an invocation that ended more than a day from now"
CLOCKS_DIFFER = timedelta(days=1)
PROBLEM_KINDS = {"TIMEOUT": "timeout", "RUNTIME_EXIT": "error"}
LARGEST = 2**31 - 1  # ms or MB; beyond any quota, and what a column holds


@dataclass(slots=True)
class SourceLine:
    """One parsed line with where it came from. `timed`: line or event state `at`; else it is when we read it."""

    line: PlatformLine | Reject
    function: Function
    at: datetime
    source: str = ""
    event: int | None = None
    failed: str = ""  # what the invocation came to, when the source knows it better than the line
    timed: bool = True
    text: str = ""  # the event it stood in


@dataclass(slots=True)
class Refused:
    """A line that is kept for inspection instead of being counted."""

    source: str
    event: int | None
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class ReadyRows:
    """Rows that were made in columns: in COPY's text form, and the UTC days they fall into."""

    text: str = ""
    days: frozenset[date] = frozenset()


@dataclass(slots=True)
class Gathered:
    """What one chunk of lines holds. `rows` are unique by key; `reports` counts every REPORT, `incomplete` the bad."""

    lines: int = 0
    reports: int = 0
    incomplete: int = 0
    rows: dict[str, Row] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    ready: ReadyRows = ReadyRows()


def gather(chunk: Iterable[SourceLine], now: datetime) -> Gathered:
    """Sort the lines of a chunk."""
    gathered = Gathered()
    problems: dict[str, tuple[str, str]] = {}
    reports: list[tuple[SourceLine, PlatformLine]] = []
    for entry in chunk:
        gathered.lines += 1
        line = entry.line
        if isinstance(line, Reject):
            gathered.refused.append(Refused(entry.source, entry.event, line.reason, line.text))
        elif line.kind in REPORT_KINDS:
            gathered.reports += 1
            problem = problem_of(line) or (FUTURE if entry.at > now + CLOCKS_DIFFER else "")
            if problem:
                gathered.incomplete += 1
                gathered.refused.append(Refused(entry.source, entry.event, problem, entry.text or repr(line)))
            else:
                reports.append((entry, line))
        elif line.kind in PROBLEM_KINDS and line.request_id:
            problems.setdefault(line.request_id, (PROBLEM_KINDS[line.kind], line.error_type or ""))
    for entry, line in reports:
        row = _row(entry, line, problems)
        gathered.rows.setdefault(row.key, row)
    return gathered


def problem_of(line: PlatformLine | Reject) -> str:
    """Why a line is refused; empty for a usable one."""
    if isinstance(line, Reject):
        return line.reason
    return INCOMPLETE if line.kind in REPORT_KINDS and not _usable(line) else ""


def time_of(line: PlatformLine | Reject) -> datetime | None:
    """When the line says it was written."""
    stated = line.time if isinstance(line, PlatformLine) else None
    try:
        parsed = parse_datetime(stated) if stated else None
    except ValueError:
        return None
    return parsed if parsed is None or parsed.tzinfo else parsed.replace(tzinfo=UTC)


def keep_refused(refused: Iterable[Refused], door: str) -> None:
    """Store refused lines for inspection, each once."""
    rows = [
        RejectedLine(
            door=door,
            source=entry.source[:300],
            event=entry.event,
            reason=entry.reason[:200],
            line=entry.text[:2000].replace("\x00", ""),
            digest=hashlib.sha256(f"{entry.source}|{entry.event}|{entry.text}".encode()).hexdigest(),
        )
        for entry in refused
    ]
    RejectedLine.objects.bulk_create(rows, ignore_conflicts=True)


def _usable(line: PlatformLine) -> bool:
    numbers = (line.duration_ms, line.billed_ms, line.memory_mb or 0, line.max_memory_mb or 0)
    return bool(line.request_id) and all(number is not None and 0 <= number <= LARGEST for number in numbers)


def _row(entry: SourceLine, line: PlatformLine, problems: dict[str, tuple[str, str]]) -> Row:
    status, error_type = line.status or "", line.error_type or ""
    if not status or status == "success":
        beside = problems.get(line.request_id or "", ("", ""))
        status = beside[0] or entry.failed or "success"
        error_type = error_type or beside[1]
    request_id = (line.request_id or "").replace("\x00", "")[:64]
    digest = digest_of(line)
    return Row(
        key_of(entry.function.pk, request_id, digest), entry.function.pk, request_id, digest, entry.at,
        line.duration_ms or 0.0, round(line.billed_ms or 0), round(line.memory_mb or entry.function.memory_mb),
        None if line.max_memory_mb is None else round(line.max_memory_mb), line.init_ms, line.restore_ms,
        status[:20], error_type[:120], entry.timed,
    )  # fmt: skip
