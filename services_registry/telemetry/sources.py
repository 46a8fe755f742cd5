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
from django.utils import timezone

from services_registry.models import Function
from services_registry.telemetry.finder import FunctionFinder
from services_registry.telemetry.gather import SourceLine, problem_of, time_of
from services_registry.telemetry.ingest import unattributed
from services_registry.telemetry.parser import PlatformLine, Reject, parse_message

MOST_REASONS = 1_000
MOST_STARTS = 50_000
"""Invocations whose start has been read and whose function is remembered for their report."""


@dataclass(frozen=True, slots=True)
class Event:
    """One log event: its text and what its envelope says. Empty or None: the envelope does not say it."""

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

    def add(self, problems: list[str]) -> int:
        """Returns the number of the event, from 0."""
        self.events += 1
        if problems:
            self.refused += 1
            if len(self.reasons) < MOST_REASONS:
                self.reasons.append((self.events - 1, problems[0]))
        return self.events - 1


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


def lines_of(
    events: Iterable[Event], finder: FunctionFinder, *, counter: EventCounter, source: str, function_name: str = ""
) -> Iterator[SourceLine]:
    """The platform lines in `events`, each with the function that wrote it: `function_name`, where that is given."""
    now = timezone.now()
    starts: OrderedDict[str, Function] = OrderedDict()
    nobody: Function | None = None
    for event in events:
        found = [Reject(event.broken, event.message)] if event.broken else list(parse_message(event.message))
        number = counter.add([reason for line in found if (reason := problem_of(line))])
        if not found:
            continue
        function = _writer(event, finder, function_name)
        for line in found:
            writer = function or _by_start(line, finder, starts)
            if writer is None:
                writer = nobody = nobody or unattributed(settings.AWS_REGION)
            at = time_of(line) or event.at
            yield SourceLine(line, writer, at or now, source, number, timed=at is not None, text=event.message)


def _writer(event: Event, finder: FunctionFinder, function_name: str) -> Function | None:
    if function_name or event.name:
        return finder.by_name(function_name or event.name)
    return finder.by_group(event.group, event.stream, event.account) if event.group else None


def _by_start(
    line: PlatformLine | Reject, finder: FunctionFinder, starts: OrderedDict[str, Function]
) -> Function | None:
    """The function that the invocation's platform.start named."""
    if isinstance(line, Reject) or not line.request_id:
        return None
    if line.function_arn and (function := finder.by_arn(line.function_arn)):
        starts[line.request_id] = function
        if len(starts) > MOST_STARTS:
            starts.popitem(last=False)
    return starts.get(line.request_id)


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
