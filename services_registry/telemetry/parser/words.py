"""The words of Lambda's log lines that are data: labels, states, error types. They age; see the dates."""

from __future__ import annotations

from typing import Final

# AWS Lambda Developer Guide, "Telemetry API event schema reference" (status, phase), read 2026-11-23.
STATUSES: Final = frozenset({"success", "error", "timeout", "failure"})
PHASES: Final = frozenset({"init", "invoke", "restore"})

# Error types seen in public REPORT and INIT_REPORT lines and in the Developer Guide, collected 2026-11-23. The list is
# not needed to accept a type; it is needed to notice that `Runtime.OutOfM` is one of these cut off.
ERROR_TYPES: Final = frozenset(
    {
        "Extension.Crash",
        "Extension.ExitError",
        "Extension.InitError",
        "Extension.LaunchError",
        "Function.Unknown",
        "Runtime.AfterRestoreError",
        "Runtime.BeforeCheckpointError",
        "Runtime.ExitError",
        "Runtime.HandlerNotFound",
        "Runtime.ImportModuleError",
        "Runtime.InvalidEntrypoint",
        "Runtime.InvalidWorkingDir",
        "Runtime.MalformedHandlerName",
        "Runtime.NodeJsExit",
        "Runtime.OutOfMemory",
        "Runtime.RestoreTimeout",
        "Runtime.Unknown",
        "Runtime.UnhandledPromiseRejection",
        "Runtime.UserCodeSyntaxError",
        "Sandbox.Failure",
        "Sandbox.Timedout",
    }
)

# Label in a text line -> field of PlatformLine.
NUMBER_LABELS: Final = {
    "Duration": "duration_ms",
    "Billed Duration": "billed_ms",
    "Memory Size": "memory_mb",
    "Max Memory Used": "max_memory_mb",
    "Init Duration": "init_ms",
    "Restore Duration": "restore_ms",
    "Billed Restore Duration": "billed_restore_ms",
}
WORD_LABELS: Final = {"Status": "status", "Error Type": "error_type", "Phase": "phase"}

# Key in `record.metrics` of a JSON record -> field of PlatformLine. `durationMs` keeps its name for every record type.
METRICS: Final = {
    "durationMs": "duration_ms",
    "billedDurationMs": "billed_ms",
    "memorySizeMB": "memory_mb",
    "maxMemoryUsedMB": "max_memory_mb",
    "initDurationMs": "init_ms",
    "restoreDurationMs": "restore_ms",
    "billedRestoreDurationMs": "billed_restore_ms",
}


def whole_word(field: str, word: str) -> bool:
    """Is this value of `Status`, `Phase` or `Error Type` in a text line complete, as far as anybody can tell?

    States are a closed list, so a cut one (`ti`) is recognised. Error types are open: one is refused when it is the
    beginning of a known type. A cut unknown type cannot be told from a new one.
    """
    if field == "status":
        return word in STATUSES
    if field == "phase":
        return word in PHASES
    return word in ERROR_TYPES or not any(known.startswith(word) for known in ERROR_TYPES)
