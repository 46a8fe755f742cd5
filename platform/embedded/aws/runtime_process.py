"""One ``awslambdaric`` process with its Runtime API and the pipe it writes its log to."""

from __future__ import annotations

import os
import queue
import select
import shutil
import signal
import subprocess
import threading
import time
import uuid
from pathlib import Path

from embedded.aws.functions import Function
from embedded.aws.options import Options
from embedded.aws.processes import Spawner, kill_group
from embedded.aws.report import LogEvent
from embedded.aws.runtime_api import Delivery, RuntimeApi, RuntimeEvent

_LINE_LIMIT = 262_144  # CloudWatch Logs cuts an event at 256 KB


class RuntimeProcess:
    """Started by the constructor; dead after ``kill`` or when it exits. One thread at a time may use it."""

    def __init__(self, function: Function, options: Options, spawner: Spawner, endpoint: str, stream: str) -> None:
        self._events: queue.SimpleQueue[RuntimeEvent] = queue.SimpleQueue()
        self._lines: list[LogEvent] = []
        self._partial = b""
        self._pipe_lock = threading.Lock()
        self._peak_mb = 0
        self._home = options.data / "environments" / uuid.uuid4().hex
        (self._home / "tmp").mkdir(parents=True)
        self._api = RuntimeApi(self._events.put)
        code = function.code or self._home
        try:
            self._process = spawner.start(
                [options.python, "-m", "awslambdaric", function.handler],
                env=self._variables(function, code, endpoint, stream),
                cwd=code,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except (OSError, subprocess.SubprocessError):
            self._api.close()
            raise
        assert self._process.stdout is not None  # noqa: S101 - PIPE was asked for above
        self._pipe = self._process.stdout
        os.set_blocking(self._pipe.fileno(), False)
        self._pump = threading.Thread(target=self._pump_log, name="log-pump", daemon=True)
        self._pump.start()
        threading.Thread(target=self._wait, name="process-wait", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id, for the state door."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def next_event(self, timeout: float) -> RuntimeEvent | None:
        """What the runtime does next, or None when nothing came within the time (seconds)."""
        try:
            return self._events.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None

    def deliver(self, delivery: Delivery) -> None:
        """Give the runtime an invocation."""
        self._api.deliver(delivery)

    def take_log(self, *, complete: bool) -> list[LogEvent]:
        """Everything written since the last call. What a process wrote before it answered is in the pipe already, so
        nothing is missed. ``complete`` also takes a last line without a line end.
        """
        with self._pipe_lock:
            self._read_pipe()
            if complete and self._partial:
                self._add_line(self._partial)
                self._partial = b""
            lines, self._lines = self._lines, []
        return lines

    def peak_memory_mb(self) -> int:
        """Highest resident size so far (VmHWM) in MB; what was last seen once the process has ended, 0 if nothing
        was.
        """
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return self._peak_mb
        _, _, rest = status.partition("VmHWM:")
        if rest:
            self._peak_mb = -(-int(rest.split()[0]) // 1024)
        return self._peak_mb

    def exit_text(self) -> str:
        """How it ended, in Lambda's words."""
        code = self._process.returncode
        if not code:
            return "Runtime exited without providing a reason"
        if code < 0:
            names = {signal.SIGKILL: "killed", signal.SIGSEGV: "segmentation fault", signal.SIGABRT: "aborted"}
            number = signal.Signals(-code)
            return f"Runtime exited with error: signal: {names.get(number, number.name.removeprefix('SIG').lower())}"
        return f"Runtime exited with error: exit status {code}"

    def kill(self) -> None:
        """End it with everything it started and remove its home."""
        kill_group(self._process)
        self._api.close()
        self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def _variables(self, function: Function, code: Path, endpoint: str, stream: str) -> dict[str, str]:
        variables = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "HOME": str(self._home),
            "TMPDIR": str(self._home / "tmp"),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": os.pathsep.join(str(path) for path in (code, *function.layers)),
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": endpoint,
            "LAMBDA_TASK_ROOT": str(code),
            "_HANDLER": function.handler,
        }
        if function.json_log:
            variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
            variables["AWS_LAMBDA_LOG_LEVEL"] = str(function.logging.get("ApplicationLogLevel") or "INFO")
        return variables | function.variables

    def _pump_log(self) -> None:
        """Keep the pipe from filling while the function runs; ends when every writer has closed it."""
        waiter = select.poll()  # select() would fail for descriptors above 1023
        waiter.register(self._pipe, select.POLLIN)
        while True:
            waiter.poll()
            with self._pipe_lock:
                if not self._read_pipe():
                    self._pipe.close()
                    return

    def _read_pipe(self) -> bool:
        """Read what is there; False at the end of the pipe."""
        while True:
            try:
                data = os.read(self._pipe.fileno(), 262_144)
            except BlockingIOError:
                return True
            except ValueError:  # closed by the pump
                return False
            if not data:
                return False
            *lines, self._partial = (self._partial + data).split(b"\n")
            for line in lines:
                self._add_line(line)
            if len(self._partial) > _LINE_LIMIT:
                self._add_line(self._partial)
                self._partial = b""

    def _add_line(self, line: bytes) -> None:
        # awslambdaric joins the lines of a traceback by \r so that they stay one event
        text = line[:_LINE_LIMIT].decode(errors="replace").rstrip("\r").replace("\r", "\n")
        self._lines.append((time.time_ns() // 1_000_000, text))

    def _wait(self) -> None:
        self._process.wait()
        self._pump.join(timeout=0.2)  # a grandchild may keep the pipe open
        self._events.put(RuntimeEvent("exit"))
