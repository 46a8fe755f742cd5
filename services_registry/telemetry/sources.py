"""Log files and objects as events: which function wrote a line, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

from django.conf import settings
from django.utils import timezone

from services_registry.models import Function
from services_registry.telemetry.ingest import SourceLine, problem_of, time_of, unattributed
from services_registry.telemetry.parser import parse_message

MOST_REASONS = 1_000
_GROUP_PREFIX = "/aws/lambda/"


class FunctionFinder:
    """Finds the function a log group or name belongs to; asks the database once per name."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._found: dict[str, Function] = {}

    def find(self, name: str) -> Function:
        if name not in self._found:
            found = Function.objects.filter(name=name).order_by("gone", "id").first() if name else None
            self._found[name] = found or unattributed(self.region)
        return self._found[name]


@dataclass(slots=True)
class EventCounter:
    """Counts while events stream by; keeps the first reasons for the person who looks into it."""

    events: int = 0
    refused: int = 0
    reasons: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, problems: list[str]) -> None:
        self.events += 1
        if problems:
            self.refused += 1
            if len(self.reasons) < MOST_REASONS:
                self.reasons.append((number, problems[0]))


def read_events(
    stream: TextIO, counter: EventCounter, *, function_name: str, door: str, source: str
) -> Iterator[SourceLine]:
    """Parsed lines of a plain log file or of NDJSON events ({"message", "timestamp"?, "logGroup"?})."""
    finder = FunctionFinder(settings.AWS_REGION)
    now = timezone.now()
    for number, text in enumerate(stream):
        event = _event_of(text)
        message = event["message"] if event else text
        name = function_name or _function_of(event)
        at = _event_time(event) or now
        lines = list(parse_message(message))
        counter.add(number, [reason for line in lines if (reason := problem_of(line))])
        for line in lines:
            yield SourceLine(line, finder.find(name), time_of(line, at), door, source, number)


def _event_of(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        event = json.loads(text)
    except ValueError:
        return None
    if isinstance(event, dict):
        for key in ("message", "line"):
            if isinstance(event.get(key), str):
                return {**event, "message": event[key]}
    return None


def _function_of(event: dict[str, Any] | None) -> str:
    event = event or {}
    group = str(event.get("logGroup") or event.get("logGroupName") or "")
    return (
        group.removeprefix(_GROUP_PREFIX) if group.startswith(_GROUP_PREFIX) else str(event.get("functionName") or "")
    )


def _event_time(event: dict[str, Any] | None) -> datetime | None:
    stamp = (event or {}).get("timestamp")
    if not isinstance(stamp, int | float):
        return None
    try:
        return datetime.fromtimestamp(stamp / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
