"""The short way for what makes up nearly all of a log: standard, tab separated REPORT, START and END, JSON records.

It accepts only what the careful way (`text.py`) reads with the same result, and hands everything else back.

One positional pattern for the whole event measured faster than splitting at tabs and checking the parts one by one
(0.55 against 0.26 million lines a second on one core, including conversion and the finished `PlatformLine`).
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from services_registry.telemetry.parser.lines import Draft, PlatformLine, Reject, seal
from services_registry.telemetry.parser.structured import BEYOND_REASON, LONGEST_WORD, is_platform_record, read_record
from services_registry.telemetry.parser.words import ERROR_TYPES, STATUSES

_MS: Final = r"([0-9]{1,12}\.[0-9]{1,6}) ms"
_WHOLE: Final = "([0-9]{1,12})"
_STANDARD: Final = re.compile(
    r"REPORT RequestId: ([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    rf"\tDuration: {_MS}\tBilled Duration: {_WHOLE} ms\tMemory Size: {_WHOLE} MB\tMax Memory Used: {_WHOLE} MB"
    rf"(?:\tInit Duration: {_MS})?(?:\tStatus: ({'|'.join(sorted(STATUSES))}))?"
    rf"(?:\tError Type: ({'|'.join(re.escape(word) for word in sorted(ERROR_TYPES))}))?\t?\n?"
    r"(?:(?<=\n)XRAY TraceId: (1-[0-9a-f]{8}-[0-9a-f]{24})"
    r"(?:\tSegmentId: [0-9a-f]+)?(?:\tSampled: (?:true|false))?[\t\n]*)?"
)
_START_OR_END: Final = re.compile(
    r"(?:START RequestId: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) Version: (\$LATEST|[0-9]{1,15})"
    r"|END RequestId: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))\n?"
)
_match: Final = _STANDARD.fullmatch
_NUMBERS: Final = (float, int)
_REPORT_KEYS: Final = frozenset({"requestId", "metrics", "status", "tracing", "spans"})


def standard_report(text: str) -> PlatformLine | None:
    """Read `text` if it is one clean REPORT event: one physical line, maybe followed by its XRAY line. Else None."""
    found = _match(text)
    if found is None:
        return None
    request_id, duration, billed, memory, used, init, status, error_type, trace = found.groups()
    draft = Draft("REPORT", request_id, None, float(duration), int(billed), int(memory), int(used))
    if init is not None:
        draft.init_ms = float(init)
    draft.status, draft.error_type, draft.xray_trace_id = status, error_type, trace
    return seal(draft)


def standard_start_or_end(text: str) -> PlatformLine | None:
    """Read `text` if it is one clean START or END line, the companions of every REPORT. Else None."""
    found = _START_OR_END.fullmatch(text)
    if found is None:
        return None
    started, version, ended = found.groups()
    draft = Draft("END" if started is None else "START", started or ended)
    draft.version = version
    return seal(draft)


def standard_record(text: str) -> PlatformLine | Reject | None:
    """Read `text` if it is one JSON platform record and nothing else. Else None."""
    if text[:1] != "{" or '"platform.' not in text:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not is_platform_record(value):
        return None
    return _plain_report(value) or read_record(value, text)


def _plain_report(value: dict[str, Any]) -> PlatformLine | None:
    """A platform.report in which everything is as documented; None for any other, which `read_record` looks at."""
    record = value.get("record")
    if value["type"] != "platform.report" or type(record) is not dict or not record.keys() <= _REPORT_KEYS:
        return None
    metrics, request_id, status, time = (
        record.get("metrics"),
        record.get("requestId"),
        record.get("status"),
        value.get("time"),
    )
    if type(metrics) is not dict or type(request_id) is not str or type(status) is not str or type(time) is not str:
        return None
    for number in metrics.values():
        if type(number) not in _NUMBERS or not 0 <= number < BEYOND_REASON:
            return None
    if not 0 < len(request_id) <= LONGEST_WORD or not 0 < len(status) <= LONGEST_WORD:
        return None
    of = metrics.get
    return seal(Draft(
        "platform.report", request_id, time, of("durationMs"), of("billedDurationMs"), of("memorySizeMB"),
        of("maxMemoryUsedMB"), of("initDurationMs"), of("restoreDurationMs"), of("billedRestoreDurationMs"), status,
    ))  # fmt: skip
