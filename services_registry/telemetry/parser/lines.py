"""What the parser hands out: a `PlatformLine` per line the Lambda platform wrote, a `Reject` per line not to trust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True, slots=True)
class PlatformLine:
    """One line (or JSON record) written by the Lambda platform. `None` means: the line does not state it.

    Units are in the names: `_ms` milliseconds, `_mb` megabytes, `_s` seconds. `kind` is the marker of a text line
    (REPORT, START, END, INIT_START, INIT_REPORT, RESTORE_START, RESTORE_REPORT, TIMEOUT, RUNTIME_EXIT, XRAY,
    EXTENSION, TELEMETRY, LOGS), the `type` of a JSON record (`platform.report`, ...) or JSON_OTHER: a JSON record of
    an application or a log tool that quotes a platform line. Nothing is read from JSON_OTHER, because nobody can tell
    whose invocation it speaks of.

    `time` is the ISO time as the line states it, else as the event that carried the line states it.
    `unread` names the labels whose value was cut off or is not readable; such a value is never passed on.
    `function_arn` is stated by platform.start only.
    """

    kind: str
    request_id: str | None = None
    time: str | None = None
    duration_ms: float | None = None
    billed_ms: float | None = None
    memory_mb: float | None = None
    max_memory_mb: float | None = None
    init_ms: float | None = None
    restore_ms: float | None = None
    billed_restore_ms: float | None = None
    status: str | None = None
    error_type: str | None = None
    phase: str | None = None
    timeout_s: float | None = None
    version: str | None = None
    runtime_version: str | None = None
    xray_trace_id: str | None = None
    unread: tuple[str, ...] = ()
    function_arn: str | None = None


@dataclass(slots=True)
class Draft:
    """A `PlatformLine` still being filled in. Same slots in the same order; `seal` turns it into the real thing."""

    kind: str
    request_id: str | None = None
    time: str | None = None
    duration_ms: float | None = None
    billed_ms: float | None = None
    memory_mb: float | None = None
    max_memory_mb: float | None = None
    init_ms: float | None = None
    restore_ms: float | None = None
    billed_restore_ms: float | None = None
    status: str | None = None
    error_type: str | None = None
    phase: str | None = None
    timeout_s: float | None = None
    version: str | None = None
    runtime_version: str | None = None
    xray_trace_id: str | None = None
    unread: tuple[str, ...] = ()
    function_arn: str | None = None


def seal(draft: Draft) -> PlatformLine:
    """Freeze a draft in place. It must not be used as a draft afterwards.

    A frozen dataclass of 19 fields takes 2.6 us to construct (one `object.__setattr__` a field), which is more than
    reading the line. Both classes have the same slots, so changing the class of a finished draft is legal: 0.3 us.
    """
    draft.__class__ = PlatformLine  # type: ignore[assignment]  # same slots, see above
    return cast(PlatformLine, draft)


@dataclass(frozen=True, slots=True)
class Reject:
    """A piece of text that carries a platform marker but cannot be trusted, or JSON that is cut off.

    `reason` is one of the constants below; `text` is the beginning of the piece, for the person who looks into it.
    """

    reason: str
    text: str


CUT_JSON = "JSON cut off or broken"
NO_STRUCTURE = "marker without the structure of a platform line"
NO_RECORD = "platform record without a readable type or record"
UNKNOWN_MESSAGE = "platform message of an unknown kind"
TOO_DEEP = "JSON nested too deeply"

REJECT_TEXT_LIMIT = 200


def reject(reason: str, text: str) -> Reject:
    """A `Reject` with its text shortened to `REJECT_TEXT_LIMIT` characters."""
    return Reject(reason, text[:REJECT_TEXT_LIMIT])
