"""Log text and the envelopes it travels in as events, and events as lines that know their function."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from django.conf import settings

from services_registry.models import Function
from services_registry.telemetry.finder import FunctionFinder, unattributed
from services_registry.telemetry.gather import SourceLine, time_of
from services_registry.telemetry.parser import PlatformLine, Reject, parse_message

MOST_REASONS = 1_000
MOST_WRITERS = 50_000
MOST_STARTS = 50_000
"""Invocations whose start has been read and whose function is remembered for their report."""


@dataclass(slots=True)
class Event:
    """One log event: its text and what its envelope says. Empty or None: the envelope does not say it.

    Not frozen: that would make it three times slower to make, and there are millions.
    """

    message: str
    at: datetime | None = None
    group: str = ""
    stream: str = ""
    account: str = ""
    name: str = ""
    broken: str = ""  # why it cannot be read at all


@dataclass(slots=True)
class EventCounter:
    """Counts while events stream by; keeps the first reasons for the person who looks into it."""

    events: int = 0
    refused: int = 0
    reasons: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, problems: list[str]) -> None:
        """Note what could not be trusted in an event; `events` is counted by whoever reads them."""
        if problems:
            self.refused += 1
            if len(self.reasons) < MOST_REASONS:
                self.reasons.append((number, problems[0]))


def events_of(lines: Iterable[str]) -> Iterator[Event]:
    """The events in physical lines of plain text, of NDJSON events, or of CloudWatch subscription envelopes."""
    for text in lines:
        document = _document(text)
        if document is None:
            yield Event(text)
        elif isinstance(document.get("logEvents"), list):
            yield from events_of_envelope(document)
        else:
            yield _event(document, text)


def events_of_envelope(envelope: dict[str, Any]) -> Iterator[Event]:
    """What CloudWatch Logs delivers to a subscription. Control messages, which only test the way, hold nothing."""
    if envelope.get("messageType") == "CONTROL_MESSAGE":
        return
    group, stream, account = (str(envelope.get(name) or "") for name in ("logGroup", "logStream", "owner"))
    for event in envelope["logEvents"]:
        message = event.get("message") if isinstance(event, dict) else None
        if isinstance(message, str):
            yield Event(message, _time(event.get("timestamp")), group, stream, account)
        else:
            yield Event(str(event)[:500], broken="log event without a message")


class LineReader:
    """Reads single events, and knows which function wrote them: `function_name`, where that is given.

    Keep one for all events of a source: a report in a shared log group belongs to the function that its start named.
    """

    def __init__(self, finder: FunctionFinder, *, source: str, function_name: str = "") -> None:
        self.source = source
        self._finder, self._function_name = finder, function_name
        self._writers: dict[tuple[str, str, str, str], Function | None] = {}
        self._starts: OrderedDict[str, Function] = OrderedDict()
        self._nobody: Function | None = None

    def writer_of(self, event: Event) -> Function | None:
        """None when the event's envelope does not say it."""
        key = (event.group, event.stream, event.account, event.name)
        try:
            return self._writers[key]
        except KeyError:
            if len(self._writers) >= MOST_WRITERS:
                self._writers.clear()
            writer = self._writers[key] = self._look_up(event)
            return writer

    def _look_up(self, event: Event) -> Function | None:
        if self._function_name or event.name:
            return self._finder.by_name(self._function_name or event.name)
        return self._finder.by_group(event.group, event.stream, event.account) if event.group else None

    def read(self, event: Event) -> list[PlatformLine | Reject]:
        return [Reject(event.broken, event.message)] if event.broken else list(parse_message(event.message))

    def attributed(
        self, event: Event, number: int, found: Iterable[PlatformLine | Reject], now: datetime
    ) -> Iterator[SourceLine]:
        """What was read in an event, with its function and time."""
        function = self.writer_of(event)
        for line in found:
            writer = function or self._by_start(line)
            if writer is None:
                writer = self._nobody = self._nobody or unattributed(settings.AWS_REGION)
            at = time_of(line) or event.at
            yield SourceLine(line, writer, at or now, self.source, number, timed=at is not None, text=event.message)

    def _by_start(self, line: PlatformLine | Reject) -> Function | None:
        """The function that the invocation's platform.start named."""
        if isinstance(line, Reject) or not line.request_id:
            return None
        if line.function_arn and (function := self._finder.by_arn(line.function_arn)):
            self._starts[line.request_id] = function
            if len(self._starts) > MOST_STARTS:
                self._starts.popitem(last=False)
        return self._starts.get(line.request_id)


def _document(text: str) -> dict[str, Any] | None:
    """The line as an event or envelope; None for anything else, which is read as text."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = _lenient(text)
    if not isinstance(value, dict):
        return None
    said = any(isinstance(value.get(key), str) for key in ("message", "line"))
    return value if said or isinstance(value.get("logEvents"), list) else None


def _lenient(text: str) -> Any:
    """What orjson refuses and others write: NaN, half a surrogate pair."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _event(document: dict[str, Any], text: str) -> Event:
    said = next((document[key] for key in ("message", "line") if isinstance(document.get(key), str)), text)
    group = str(document.get("logGroup") or document.get("logGroupName") or "")
    stream = str(document.get("logStream") or document.get("logStreamName") or "")
    name = "" if group else str(document.get("functionName") or "")
    return Event(said, _time(document.get("timestamp")), group, stream, str(document.get("owner") or ""), name)


def _time(stamp: object) -> datetime | None:
    """Milliseconds since 1970."""
    if not isinstance(stamp, int | float):
        return None
    try:
        return datetime.fromtimestamp(stamp / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
