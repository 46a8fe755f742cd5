"""One message (the text of one log event) -> the platform lines in it: plain text, JSON, and JSON inside either."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from services_registry.telemetry.parser import structured
from services_registry.telemetry.parser.fast import standard_record, standard_report, standard_start_or_end
from services_registry.telemetry.parser.lines import CUT_JSON, TOO_DEEP, PlatformLine, Reject, reject
from services_registry.telemetry.parser.text import parse_text

_MARKERS: Final = ("RequestId:", "Task timed out", "INIT_", "RESTORE_", "XRAY", "platform.")
_RARE_MARKER: Final = re.compile(r"(?:EXTENSION|TELEMETRY|LOGS)[ \t]+Name: ")
_JSON_BEGINS: Final = re.compile(r'[{\[]\s*["{\[\]}]|"')
_PLATFORM_TYPE: Final = re.compile(r'"type"\s*:\s*"platform\.')
_QUOTED_TYPE: Final = re.compile(r'\\+"type\\+"\s*:\s*\\+"platform\.')
_BETWEEN_VALUES: Final = " \t\r\n,;]"
_DEEPEST: Final = 5

_decoder: Final = json.JSONDecoder()


def parse_message(text: str) -> Iterator[PlatformLine | Reject]:
    """Every platform line in `text`, in order, and what had to be rejected. Ordinary text gives nothing.

    A transport envelope found in the text is opened. A JSON record of an application or log tool that quotes a
    platform line gives one line of kind JSON_OTHER, without values.
    """
    standard = standard_report(text) or standard_start_or_end(text) or standard_record(text)
    if standard is not None:
        yield standard
    else:
        yield from _careful(text, 0)


def parse_value(value: object, source: str, depth: int = 0) -> Iterator[PlatformLine | Reject]:
    """The same for a JSON value that is already decoded; `source` is what a reject shows."""
    if isinstance(value, str):
        yield from _careful(value, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from parse_value(item, source, depth + 1)
    elif isinstance(value, dict):
        yield from _parse_object(value, source, depth)


def _parse_object(value: dict[str, Any], source: str, depth: int) -> Iterator[PlatformLine | Reject]:
    if depth > _DEEPEST:
        yield reject(TOO_DEEP, source)
    elif structured.is_platform_record(value):
        yield structured.read_record(value, source)
    elif (events := structured.messages_inside(value)) is not None:
        for event in events:
            yield from parse_value(structured.event_text(event), source, depth + 1)
    elif any(_holds_a_line(said, depth) for said in structured.strings_in(value)):
        yield PlatformLine("JSON_OTHER")


def _holds_a_line(text: str, depth: int) -> bool:
    return any(isinstance(found, PlatformLine) for found in _careful(text, depth + 1))


def _careful(text: str, depth: int) -> Iterator[PlatformLine | Reject]:
    if not has_marker(text):
        return
    if depth > _DEEPEST:
        yield reject(TOO_DEEP, text)
        return
    text = text.lstrip("\ufeff \t\r\n")
    while _JSON_BEGINS.match(text):
        try:
            value, end = _decoder.raw_decode(text)
        except RecursionError:
            yield reject(TOO_DEEP, text)
            return
        except ValueError:
            if text[0] == '"':
                break
            yield from _cut_json(text)
            return
        yield from parse_value(value, text[:end], depth)
        text = text[end:].lstrip(_BETWEEN_VALUES)
    if "platform." in text:
        yield from _line_by_line(text, depth)
    elif text:
        yield from parse_text(text)


def _cut_json(text: str) -> Iterator[Reject]:
    """JSON that does not decode: rejected when it holds a platform record or line, else it is ordinary text."""
    if _PLATFORM_TYPE.search(text) or any(isinstance(found, PlatformLine) for found in parse_text(text)):
        yield reject(CUT_JSON, text)


def _line_by_line(text: str, depth: int) -> Iterator[PlatformLine | Reject]:
    """Text in which some physical lines carry JSON records behind a prefix (`aws logs tail` writes its time there)."""
    plain: list[str] = []
    for line in text.split("\n"):
        if '\\"' in line and _QUOTED_TYPE.search(line):
            line = line.replace('\\"', '"').replace("\\\\", "\\")
        found = _PLATFORM_TYPE.search(line)
        start = line.find("{", 0, found.start()) if found else -1
        if start == -1:
            plain.append(line)
            continue
        yield from parse_text("\n".join(plain))
        plain.clear()
        yield from _careful(line[start:], depth + 1)
    yield from parse_text("\n".join(plain))


def has_marker(text: str) -> bool:
    """Is there anything at all in the text that only the platform writes? Cheap; most log text stops here."""
    return any(marker in text for marker in _MARKERS) or _RARE_MARKER.search(text) is not None
