"""JSON: platform records (`{"time", "type": "platform.report", "record": {...}}`) and the envelopes that carry lines.

The order of keys means nothing here: in real logs `status` stands behind `metrics`.
Source of the record fields: AWS Lambda Developer Guide, "Telemetry API event schema reference", read 2026-11-23.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from services_registry.telemetry.parser.lines import NO_RECORD, Draft, PlatformLine, Reject, reject, seal
from services_registry.telemetry.parser.words import METRICS

_TYPE: Final = re.compile(r"platform\.[A-Za-z]+(?:\.[A-Za-z]+)*")
LONGEST_WORD: Final = 128
_LONGEST_ARN: Final = 400
BEYOND_REASON: Final = 1e15

# A record with one of these keys was written by an application's own logger (Lambda's JSON log format has `level`).
_APPLICATION_KEYS: Final = frozenset({"level", "requestId", "function_request_id"})
_MESSAGE_KEYS: Final = ("message", "line")
_LIST_KEYS: Final = ("logEvents", "events")


def is_platform_record(value: object) -> bool:
    """Does the value claim to be a platform record? (Whether it can be read is for `read_record`.)"""
    return isinstance(value, dict) and isinstance(value.get("type"), str) and value["type"].startswith("platform.")


def read_record(value: dict[str, Any], source: str) -> PlatformLine | Reject:
    """Read a platform record; `source` is its text, for the reject."""
    kind, record, time = value["type"], value.get("record"), value.get("time")
    if not _TYPE.fullmatch(kind) or not isinstance(record, (dict, str)):
        return reject(NO_RECORD, source)
    draft = Draft(kind, time=time if isinstance(time, str) else None)
    if isinstance(record, dict):  # platform.fault of the old Logs API carries a plain string
        _read_words(draft, record)
        metrics = record.get("metrics")
        if isinstance(metrics, dict):
            _read_metrics(draft, metrics)
    return seal(draft)


def _read_words(draft: Draft, record: dict[str, Any]) -> None:
    draft.request_id = _word(draft, record, "requestId")
    draft.status = _word(draft, record, "status")
    draft.error_type = _word(draft, record, "errorType")
    draft.phase = _word(draft, record, "phase")
    draft.version = _word(draft, record, "version")
    draft.runtime_version = _word(draft, record, "runtimeVersion")
    arn = record.get("functionArn")
    draft.function_arn = arn if isinstance(arn, str) and len(arn) <= _LONGEST_ARN else None


def _word(draft: Draft, record: dict[str, Any], key: str) -> str | None:
    word = record.get(key)
    if word is None or (isinstance(word, str) and 0 < len(word) <= LONGEST_WORD):
        return word
    draft.unread += (key,)
    return None


def _read_metrics(draft: Draft, metrics: dict[str, Any]) -> None:
    for key, field in METRICS.items():
        value = metrics.get(key)
        # The comparison also turns away NaN and infinities.
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < BEYOND_REASON:
            setattr(draft, field, value)
        elif value is not None:
            draft.unread += (key,)


def messages_inside(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The events in a transport envelope, each a dict with its text under `message` or `line`; None if it is none.

    Known envelopes: one CloudWatch event (`{"message": ...}`), a subscription payload (`{"logEvents": [...]}`), the
    answer of `aws logs get-log-events` or `filter-log-events` (`{"events": [...]}`).
    """
    for key in _LIST_KEYS:
        events = value.get(key)
        if isinstance(events, list) and events and all(event_text(event) is not None for event in events):
            return events
    return None if event_text(value) is None else [value]


def event_text(event: object) -> str | dict[str, Any] | None:
    """What one event says: its text, or the JSON record it carries as an object. None when it is not an event."""
    if not isinstance(event, dict) or not _APPLICATION_KEYS.isdisjoint(event):
        return None
    for key in _MESSAGE_KEYS:
        said = event.get(key)
        if isinstance(said, (str, dict)):
            return said
    return None


def strings_in(value: object, limit: int = 200) -> Iterator[str]:
    """Every string value in a JSON value, at most `limit` nodes of it."""
    waiting = [value]
    while waiting and limit > 0:
        limit -= 1
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
