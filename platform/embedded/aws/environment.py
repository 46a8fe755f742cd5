"""One execution environment: init, then one invocation after the other, until it is killed."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from embedded.aws.errors import SYNC_LIMIT
from embedded.aws.functions import Function
from embedded.aws.options import Options
from embedded.aws.processes import Spawner
from embedded.aws.report import InvocationLog, LogEvent, Measured
from embedded.aws.runtime_api import Delivery, RuntimeEvent
from embedded.aws.runtime_process import RuntimeProcess


@dataclass(frozen=True)
class Outcome:
    """How one invocation ended. ``function_error`` is empty or ``Unhandled``, as the response header has it."""

    payload: bytes
    measured: Measured
    started: float
    """Seconds since 1970."""
    tail: bytes
    function_error: str = ""
    events: list[LogEvent] = field(default_factory=list)

    def error_message(self) -> str:
        """The function's own message, for a dead-letter queue."""
        try:
            return str(json.loads(self.payload).get("errorMessage", ""))
        except (ValueError, AttributeError):
            return ""


@dataclass(frozen=True)
class _Init:
    """How the init phase went: how long, and what stopped it."""

    milliseconds: float
    failure: RuntimeEvent | None = None
    timed_out: bool = False


def _error(kind: str, message: str) -> RuntimeEvent:
    return RuntimeEvent("error", json.dumps({"errorType": kind, "errorMessage": message}).encode())


class Environment:
    """Used by one invocation at a time. The process starts with the first one, so that its init is measured and
    logged there.
    """

    def __init__(self, function: Function, options: Options, spawner: Spawner, endpoint: str) -> None:
        self.function = function
        self.idle_since = time.monotonic()
        self.created = time.time()
        self.stream = f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{uuid.uuid4().hex}"
        self._options = options
        self._spawner = spawner
        self._endpoint = endpoint
        self._process: RuntimeProcess | None = None

    @property
    def pid(self) -> int | None:
        """The runtime's process id, None before the first invocation."""
        return self._process.pid if self._process else None

    def usable(self) -> bool:
        """Whether a further invocation may run here."""
        return self._process is not None and self._process.alive()

    def close(self) -> None:
        """Kill the process group; may be called twice."""
        process, self._process = self._process, None
        if process:
            process.kill()

    def invoke(self, request_id: str, payload: bytes, client_context: str = "") -> Outcome:
        """Run one invocation to its end: result, function error, exit or time-out. After the last two the environment
        is gone.
        """
        log = InvocationLog(self.function, request_id)
        init = self._initialise(log) if self._process is None else None
        started, clock = time.time(), time.monotonic()
        deadline = clock + self.function.timeout_s
        event: RuntimeEvent | None
        if init and init.failure:
            event, clock = init.failure, clock - init.milliseconds / 1000
            log.start()
        elif init and init.timed_out:
            event = self._initialise_again(log, deadline) or self._handle(
                log, payload, client_context, deadline, started
            )
        else:
            log.start()
            event = self._handle(log, payload, client_context, deadline, started)
        elapsed = (time.monotonic() - clock) * 1000
        cold = init.milliseconds if init and not init.failure and not init.timed_out else None
        return self._conclude(log, event, Measured(elapsed, self._peak_memory(), cold), started)

    # -- init ----------------------------------------------------------------------------------------------------------

    def _initialise(self, log: InvocationLog) -> _Init:
        """Start the process and wait until it asks for work, fails, or the init limit is over."""
        log.init_start()
        clock = time.monotonic()
        event = self._start_and_wait(self._options.init_seconds)
        init = _Init(
            (time.monotonic() - clock) * 1000, None if event and event.kind == "ready" else event, event is None
        )
        self._take_log(log)
        if init.timed_out:
            log.init_failed(init.milliseconds, "init", "timeout")
            self.close()
        elif init.failure:
            log.init_failed(init.milliseconds, "init", "error", _error_type(init.failure))
        return init

    def _initialise_again(self, log: InvocationLog, deadline: float) -> RuntimeEvent | None:
        """After an init time-out Lambda repeats init inside the invocation, at its cost. None when it succeeded."""
        clock = time.monotonic()
        event = self._start_and_wait(deadline - clock)
        self._take_log(log)
        if event is not None and event.kind != "ready":
            log.init_failed((time.monotonic() - clock) * 1000, "invoke", "error", _error_type(event))
        log.start()
        if event is None:
            return RuntimeEvent("timeout")
        return None if event.kind == "ready" else event

    def _start_and_wait(self, seconds: float) -> RuntimeEvent | None:
        if problem := self.function.missing_handler():
            return RuntimeEvent("init_error", _error("Runtime.ImportModuleError", problem).body)
        try:
            process = RuntimeProcess(self.function, self._options, self._spawner, self._endpoint, self.stream)
        except (OSError, subprocess.SubprocessError) as problem:
            return RuntimeEvent("init_error", _error("Runtime.InvalidEntrypoint", str(problem)).body)
        self._process = process
        event = process.next_event(seconds)
        process.peak_memory_mb()  # seen now, in case the process does not live until the report
        return event

    # -- invoke --------------------------------------------------------------------------------------------------------

    def _handle(
        self, log: InvocationLog, payload: bytes, client_context: str, deadline: float, started: float
    ) -> RuntimeEvent:
        """Deliver the event and wait for what becomes of it."""
        process = self._process
        if process is None:  # closed from outside, the server is stopping
            return RuntimeEvent("exit")
        deadline_ms = int((started + self.function.timeout_s) * 1000)
        process.deliver(Delivery(log.request_id, payload, deadline_ms, self.function.arn, client_context))
        event = process.next_event(deadline - time.monotonic())
        self._take_log(log)
        return event or RuntimeEvent("timeout")

    def _conclude(self, log: InvocationLog, event: RuntimeEvent, measured: Measured, started: float) -> Outcome:
        """Write the closing lines and put the answer together."""
        body, request_id = event.body, log.request_id
        if event.kind == "timeout":
            measured.duration_ms = self.function.timeout_s * 1000
            measured.status, measured.error_type = "timeout", ""
            message = f"RequestId: {request_id} Error: Task timed out after {self.function.timeout_s:.2f} seconds"
            body = _error("Sandbox.Timedout", message).body
            log.timed_out()
        elif event.kind == "exit":
            how = process.exit_text() if (process := self._process) else "Runtime exited without providing a reason"
            body = _error("Runtime.ExitError", f"RequestId: {request_id} Error: {how}").body
            log.exited(how)
        elif event.kind == "too_large":
            message = (
                f"Response payload size ({int(body)} bytes) exceeded maximum allowed payload size ({SYNC_LIMIT} bytes)."
            )
            body = _error("Function.ResponseSizeTooLarge", message).body
        if event.kind not in ("response", "timeout"):
            measured.status, measured.error_type = "error", _error_type(RuntimeEvent("error", body))
        if event.kind not in ("response", "error", "too_large"):
            self.close()
        log.report(measured)
        function_error = "" if event.kind == "response" else "Unhandled"
        return Outcome(body, measured, started, log.tail(), function_error, log.events)

    def _take_log(self, log: InvocationLog) -> None:
        if process := self._process:
            log.extend(process.take_log(complete=True))

    def _peak_memory(self) -> int:
        return process.peak_memory_mb() if (process := self._process) else 0


def _error_type(event: RuntimeEvent) -> str:
    """The errorType of an error body; a process that just ended is a Runtime.ExitError."""
    if event.kind == "exit":
        return "Runtime.ExitError"
    try:
        return str(json.loads(event.body).get("errorType") or "Runtime.Unknown")
    except (ValueError, AttributeError):
        return "Runtime.Unknown"
