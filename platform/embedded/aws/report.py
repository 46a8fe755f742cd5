"""The lines the Lambda platform itself writes into a function's log, as text or JSON.

Shapes: AWS Lambda Developer Guide, "telemetry-schema-reference" (JSON) and the text lines of real log groups; checked
2026-11-23.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from embedded.aws.functions import Function

LogEvent = tuple[int, str]
"""Milliseconds since 1970 and the message, without a line end."""

RUNTIME_VERSION_ARN = "arn:aws:lambda:{region}::runtime:local"


def iso_time(milliseconds: float) -> str:
    """A time as Lambda writes it: milliseconds, Z."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


@dataclass
class Measured:
    """What one invocation took. ``init_ms`` is None when the environment was warm or init ran inside the invocation."""

    duration_ms: float
    max_memory_mb: int
    init_ms: float | None = None
    status: str = "success"
    error_type: str = ""

    @property
    def billed_ms(self) -> int:
        """Duration and init together, rounded up to a millisecond (init is billed since 2025-08-01)."""
        return max(1, math.ceil(round(self.duration_ms + (self.init_ms or 0.0), 2)))


@dataclass
class InvocationLog:
    """Collects the events of one invocation in order and writes the platform's own."""

    function: Function
    request_id: str
    events: list[LogEvent] = field(default_factory=list)

    def add(self, message: str, at: int | None = None) -> None:
        """One event, now if no time is given."""
        self.events.append((at or time.time_ns() // 1_000_000, message))

    def extend(self, events: list[LogEvent]) -> None:
        """What the function itself wrote."""
        self.events.extend(events)

    def tail(self, limit: int = 4096) -> bytes:
        """The last bytes of the log, as LogType=Tail answers them."""
        return "".join(f"{message}\n" for _, message in self.events).encode()[-limit:]

    def init_start(self) -> None:
        """An environment begins to exist."""
        language = self.function.runtime.replace("python", "python:") or "python"
        version = f"{language}.local"
        arn = RUNTIME_VERSION_ARN.format(region=self.function.region)
        if self.function.json_log:
            self._json(
                "platform.initStart",
                initializationType="on-demand",
                phase="init",
                functionName=self.function.name,
                functionVersion=self.function.version,
                runtimeVersion=version,
                runtimeVersionArn=arn,
            )
        else:
            self.add(f"INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}")

    def init_failed(self, milliseconds: float, phase: str, status: str, error_type: str = "") -> None:
        """Init did not end well; ``phase`` is init or invoke."""
        if self.function.json_log:
            record: dict[str, Any] = {"initializationType": "on-demand", "phase": phase, "status": status}
            record.update({"errorType": error_type} if error_type else {})
            self._json("platform.initReport", **record, metrics={"durationMs": round(milliseconds, 3)})
            return
        error = f"\tError Type: {error_type}" if error_type else ""
        self.add(f"INIT_REPORT Init Duration: {milliseconds:.2f} ms\tPhase: {phase}\tStatus: {status}{error}")

    def start(self) -> None:
        """The invocation begins."""
        if self.function.json_log:
            function = self.function
            self._json("platform.start", requestId=self.request_id, functionArn=function.arn, version=function.version)
        else:
            self.add(f"START RequestId: {self.request_id} Version: {self.function.version}")

    def timed_out(self) -> None:
        """The time limit was reached."""
        now = time.time_ns() // 1_000_000
        self.add(f"{iso_time(now)} {self.request_id} Task timed out after {self.function.timeout_s:.2f} seconds\n", now)

    def exited(self, how: str) -> None:
        """The runtime process ended by itself."""
        self.add(f"RequestId: {self.request_id} Error: {how}\nRuntime.ExitError")

    def report(self, measured: Measured) -> None:
        """The invocation is over: END and REPORT, or their JSON form."""
        if self.function.json_log:
            self._json_report(measured)
            return
        self.add(f"END RequestId: {self.request_id}")
        line = (
            f"REPORT RequestId: {self.request_id}\tDuration: {measured.duration_ms:.2f} ms"
            f"\tBilled Duration: {measured.billed_ms} ms\tMemory Size: {self.function.memory_mb} MB"
            f"\tMax Memory Used: {measured.max_memory_mb} MB\t"
        )
        if measured.init_ms is not None:
            line += f"Init Duration: {measured.init_ms:.2f} ms\t"
        if measured.status == "timeout":
            line += "Status: timeout"
        elif measured.error_type.startswith(("Runtime.", "Function.", "Sandbox.")):
            line += f"Status: error\tError Type: {measured.error_type}"
        self.add(line)

    def _json_report(self, measured: Measured) -> None:
        metrics: dict[str, float] = {
            "durationMs": round(measured.duration_ms, 3),
            "billedDurationMs": measured.billed_ms,
            "memorySizeMB": self.function.memory_mb,
            "maxMemoryUsedMB": measured.max_memory_mb,
        }
        if measured.init_ms is not None:
            metrics["initDurationMs"] = round(measured.init_ms, 3)
        record: dict[str, Any] = {"requestId": self.request_id, "metrics": metrics, "status": measured.status}
        record.update({"errorType": measured.error_type} if measured.error_type else {})
        self._json("platform.report", **record)

    def _json(self, kind: str, **record: Any) -> None:
        now = time.time_ns() // 1_000_000
        self.add(json.dumps({"time": iso_time(now), "type": kind, "record": record}, separators=(",", ":")), now)
