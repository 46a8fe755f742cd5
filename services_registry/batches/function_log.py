"""What a function's log says about its invocations: which began when, and how one of them ended."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.aws.errors import AwsNotFound
from core.aws.logs import LogEvent, pull_events
from services_registry.telemetry.parser import PlatformLine, parse_message

STARTS = ("START", "platform.start")
REPORTS = ("REPORT", "platform.report")
# CloudWatch's "any of these" (Amazon CloudWatch Logs, "filter pattern syntax", read 2026-11-23).
STARTS_PATTERN = '?"START RequestId" ?"platform.start" ?"chunk begun"'
REPORTS_PATTERN = '?"REPORT RequestId" ?"platform.report"'
MOST_STARTS = 20_000
LAST_WORDS = timedelta(seconds=10)
"""An unhandled error is written right before the end; older lines of a talkative function are not read."""
MOST_LINES = 2_000
KEPT_TEXT = 8_000
# What the runtimes write when a handler raises: Python "[ERROR] ValueError: words", Node.js "... ERROR Invoke Error {".
_PYTHON_ERROR = re.compile(r"^\[ERROR\] (?P<type>[\w.]+)(?:: (?P<message>.*))?$", re.MULTILINE)
_NODE_ERROR = re.compile(
    r"\tERROR\t(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection)\s*\t(?P<facts>\{.*)"
)


@dataclass(frozen=True, slots=True)
class LogPlace:
    """One function's log group."""

    group: str
    region: str


@dataclass(frozen=True, slots=True)
class Begun:
    """An invocation that began. `chunk` is the chunk it works on where our runtime says so, else empty."""

    request_id: str
    at: datetime
    stream: str
    chunk: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is written about one invocation so far; `worked`: our runtime got to the end of its chunk."""

    request_id: str
    report: PlatformLine | None = None
    timed_out: bool = False
    worked: bool = False
    raised: bool = False
    error_type: str = ""
    error_message: str = ""
    text: str = ""


def begun_for(place: LogPlace, chunk_id: str, start: datetime, end: datetime) -> list[Begun]:
    """Invocations whose log names this chunk: only functions with our runtime write that."""
    found: dict[str, Begun] = {}
    for event in _events(place, start, end, pattern=f'"{chunk_id}"', limit=100):
        for line in _runtime_lines(event):
            if line["chunk"] == chunk_id:
                found.setdefault(line["requestId"], Begun(line["requestId"], event.at, event.stream, chunk_id))
    return list(found.values())


def begun_between(place: LogPlace, start: datetime, end: datetime) -> list[Begun]:
    """All invocations that began then, with the chunk of each where the log names it."""
    begun: dict[str, Begun] = {}
    chunks: dict[str, str] = {}
    for event in _events(place, start, end, pattern=STARTS_PATTERN, limit=MOST_STARTS):
        chunks |= {line["requestId"]: line["chunk"] for line in _runtime_lines(event)}
        for line in _platform_lines(event):
            if line.kind in STARTS and line.request_id:
                begun.setdefault(line.request_id, Begun(line.request_id, event.at, event.stream))
    return [Begun(each.request_id, each.at, each.stream, chunks.get(each.request_id, "")) for each in begun.values()]


def speaks(place: LogPlace, start: datetime, end: datetime) -> bool:
    """Whether any invocation left its platform lines there: a log that is switched off proves nothing."""
    events = _events(place, start, end, pattern=REPORTS_PATTERN, limit=MOST_LINES)
    return any(line.kind in REPORTS for event in events for line in _platform_lines(event))


def trace_of(place: LogPlace, begun: Begun, end: datetime) -> Trace:
    """How this invocation went, as far as it is written."""
    report: PlatformLine | None = None
    reported_at = begun.at
    timed_out = worked = False
    for event in _events(place, begun.at, end, pattern=f'"{begun.request_id}"', limit=MOST_LINES):
        worked = worked or any(_is_end(line, begun.request_id) for line in _runtime_lines(event))
        for line in _platform_lines(event):
            if line.request_id == begun.request_id:
                timed_out = timed_out or line.kind == "TIMEOUT"
                if line.kind in REPORTS:
                    report, reported_at = line, event.at
    if report is None:
        return Trace(begun.request_id, timed_out=timed_out, worked=worked)
    text = _text(place, begun, reported_at)
    raised, error_type, message = _error_in(text)
    return Trace(begun.request_id, report, timed_out, worked, raised, error_type, message, text[-KEPT_TEXT:])


def _text(place: LogPlace, begun: Begun, reported_at: datetime) -> str:
    """The last lines of one invocation. A stream is one environment, which works on one invocation at a time."""
    start = max(begun.at, reported_at - LAST_WORDS)
    lines: list[str] = []
    for event in _events(place, start, reported_at + timedelta(milliseconds=1), stream=begun.stream, limit=MOST_LINES):
        if _is_start_of(event, begun.request_id):
            lines.clear()  # what the environment wrote in the same millisecond before
        lines.append(event.message.rstrip("\n"))
    return "\n".join(lines)


def _is_start_of(event: LogEvent, request_id: str) -> bool:
    return any(line.kind in STARTS and line.request_id == request_id for line in _platform_lines(event))


def _error_in(text: str) -> tuple[bool, str, str]:
    """(whether the handler raised, type, message)."""
    if found := _PYTHON_ERROR.search(text):
        return True, found["type"], found["message"] or ""
    if found := _NODE_ERROR.search(text):
        try:
            facts = json.loads(found["facts"].splitlines()[0])
        except ValueError:
            facts = {}
        return True, str(facts.get("errorType", "Error")), str(facts.get("errorMessage", ""))
    return False, "", ""


def _is_end(line: dict[str, Any], request_id: str) -> bool:
    return bool(line["requestId"] == request_id and line.get("message") == "chunk worked")


def _runtime_lines(event: LogEvent) -> Iterator[dict[str, Any]]:
    """The lines of our runtime (`shipments.functions.runtime.batch`) in an event."""
    for text in event.message.splitlines():
        if '"chunk"' not in text or not text.lstrip().startswith("{"):
            continue
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and isinstance(line.get("chunk"), str) and isinstance(line.get("requestId"), str):
            yield line


def _platform_lines(event: LogEvent) -> Iterator[PlatformLine]:
    return (line for line in parse_message(event.message) if isinstance(line, PlatformLine))


def _events(place: LogPlace, start: datetime, end: datetime, **more: Any) -> Iterator[LogEvent]:
    """Nothing when the group does not exist: AWS makes it with the first line."""
    try:
        yield from pull_events(place.group, region=place.region, start=start, end=end, **more)
    except AwsNotFound:
        return
