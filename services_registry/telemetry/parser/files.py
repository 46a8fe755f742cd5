"""A file of log text or of JSON events -> platform lines with the number of their event. Streams; memory stays flat.

What an event is, and its number:

- Plain text: every physical line is an event; its number is its 0-based line number, blank lines counted.
- NDJSON: the same, one JSON object a line: a CloudWatch event (`{"message": ...}`; its text may hold several physical
  lines, all of which get the number of the event), an object with `line` instead, or a bare platform record.
- A line that holds a list of platform records (Telemetry API), or an object with `logEvents` or `events`, holds as
  many events as the list has items, numbered one after the other. So does such a document written over many lines.

Text lines that go on with the line above: a physical line that is indented and begins with a label of a REPORT
(`    Billed Duration: 300 ms`) belongs to the REPORT or INIT_REPORT above it and is read with it, under the number of
the first line. An XRAY line keeps its own number in plain text, because there the borders of the events are lost.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import IO, Any, Final

from services_registry.telemetry.parser import labels, structured
from services_registry.telemetry.parser.fast import standard_report
from services_registry.telemetry.parser.lines import TOO_DEEP, PlatformLine, Reject, reject
from services_registry.telemetry.parser.message import has_marker, parse_message, parse_value

LONGEST_LINE: Final = 16 * 1024 * 1024  # characters; CloudWatch's own limit for one event is 1 MB
LONGEST_REPORT: Final = 4096  # characters of a REPORT wrapped over many lines
LONGEST_DOCUMENT: Final = 16 * 1024 * 1024  # characters of one JSON document written over many lines

_DOCUMENT_BEGINS: Final = re.compile(r'(?:\[|\{|\[\s*\{|\{\s*"[^"]{1,60}":\s*[\[{])\s*')
_GOES_ON: Final = re.compile(rf"[ \t]+(?:{'|'.join(labels.ALL)})")
_NOT_PLAIN: Final = ("{", "[", '"', " ", "\t", "\ufeff")
_REPORT_HEADS: Final = ("REPORT RequestId:", "INIT_REPORT", "RESTORE_REPORT")


@dataclass(slots=True)
class Tally:
    """What went by: events seen, and those in which nothing was recognised or rejected (ordinary log text)."""

    events: int = 0
    ordinary: int = 0


Found = tuple[int, PlatformLine | Reject]


def parse_file(stream: IO[str] | Iterable[str], tally: Tally | None = None) -> Iterator[Found]:
    """Every platform line and reject in `stream` with the number of its event, in order.

    `stream` is text opened with `newline="\\n"` (or any iterable of physical lines). Reading never fails on content.
    """
    tally = Tally() if tally is None else tally
    report: str | None = None  # a REPORT line that the next physical line may go on with
    number = 0
    for line in _documents(_lines(stream)):
        if report is not None:
            if line[:1] in (" ", "\t") and len(report) < LONGEST_REPORT and _GOES_ON.match(line):
                report += "\n" + line
                tally.events += 1
                continue
            yield from _report(number, report, tally)
            report = None
        if _may_go_on(line):
            report, number = line, tally.events
            tally.events += 1
        else:
            yield from _line(line, tally)
    if report is not None:
        yield from _report(number, report, tally)


def _may_go_on(line: str) -> bool:
    """Is this a REPORT, INIT_REPORT or RESTORE_REPORT in plain text, which might be wrapped over more lines?"""
    if line[:18] == "REPORT RequestId: ":
        return True
    return "REPORT" in line and line[:1] not in _NOT_PLAIN and any(head in line for head in _REPORT_HEADS)


def _report(number: int, text: str, tally: Tally) -> Iterable[Found]:
    clean = standard_report(text)
    return ((number, clean),) if clean is not None else _event(number, text, tally)


def _line(line: str, tally: Tally) -> Iterator[Found]:
    """One physical line (or one JSON document) that is not a REPORT in plain text."""
    bare = line.lstrip("\ufeff \t")
    if bare[:1] in ("{", "["):
        try:
            value = json.loads(bare)
        except ValueError:
            value = None
        except RecursionError:
            if has_marker(bare):
                yield tally.events, reject(TOO_DEEP, bare)
                tally.events += 1
                return
            value = None
        if isinstance(value, dict):
            yield from _object(value, bare, tally)
            return
        if isinstance(value, list) and value and all(_is_event(item) for item in value):
            for item in value:
                yield from _object(item, bare, tally)
            return
    tally.events += 1
    yield from _event(tally.events - 1, line, tally)


def _is_event(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    telemetry = isinstance(value.get("type"), str) and "record" in value
    return telemetry or structured.event_text(value) is not None


def _object(value: dict[str, Any], source: str, tally: Tally) -> Iterator[Found]:
    events = None if structured.is_platform_record(value) else structured.messages_inside(value)
    for event in events or [value]:
        number, tally.events = tally.events, tally.events + 1
        said = structured.event_text(event) if events else event
        found = parse_message(said) if isinstance(said, str) else parse_value(said, source)
        time = _event_time(event) if events else None
        yield from _numbered(number, found, tally, time)


def _event(number: int, text: str, tally: Tally) -> Iterator[Found]:
    yield from _numbered(number, parse_message(text), tally, None)


def _numbered(number: int, lines: Iterator[PlatformLine | Reject], tally: Tally, time: str | None) -> Iterator[Found]:
    empty = True
    for found in lines:
        empty = False
        if time is not None and isinstance(found, PlatformLine) and found.time is None:
            found = replace(found, time=time)
        yield number, found
    if empty:
        tally.ordinary += 1


def _event_time(event: dict[str, Any]) -> str | None:
    """The `timestamp` of a CloudWatch event (milliseconds since 1970, UTC) as an ISO time."""
    stamp = event.get("timestamp")
    if type(stamp) is not int or not 0 <= stamp < 253_402_300_800_000:
        return None
    moment = datetime.fromtimestamp(stamp // 1000, UTC).replace(microsecond=stamp % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _lines(stream: IO[str] | Iterable[str]) -> Iterator[str]:
    """Physical lines without their line break. Of an endless line only the first `LONGEST_LINE` characters are kept."""
    if not isinstance(stream, io.TextIOBase):
        for line in stream:
            yield line.rstrip("\r\n")
        return
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and line[-1] != "\n":
            while (more := stream.readline(LONGEST_LINE)) and more[-1] != "\n":
                pass
        yield line.rstrip("\r\n")


def _documents(lines: Iterator[str]) -> Iterator[str]:
    """Physical lines, with a JSON document that was written over many lines put together into one.

    Lines that look like the beginning of a document but turn out not to be one are handed on one by one.
    """
    for line in lines:
        if not line or line[0] not in "[{" or not _DOCUMENT_BEGINS.fullmatch(line):
            yield line
            continue
        held, size = [line], len(line)
        closing = "]" if line[0] == "[" else "}"
        whole = False
        for following in lines:
            held.append(following)
            size += len(following)
            if following.rstrip() == closing:
                whole = _decodes("\n".join(held))
                break
            if size > LONGEST_DOCUMENT:
                break
        if whole:
            yield "\n".join(held)
        else:
            yield from held


def _decodes(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
