"""Worker processes of a run, and what they cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.stack import ROOT, child_environment

READY_S = 60
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Worker:
    """A running Celery worker with one process (threads inside)."""

    pid: int

    def cpu_s(self) -> float:
        """User and system seconds so far, of all threads (`/proc/<pid>/stat`, proc(5))."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def peak_mb(self) -> float:
        """The highest resident size so far (VmHWM)."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def worker(app: str, *, concurrency: int, log: Path) -> Iterator[Worker]:
    """`celery -A app worker --pool threads`, ready; stopped warmly at the end.

    Raises:
        OSError: it was not ready in a minute.
    """
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "--pool", "threads"]
    options = ["--concurrency", str(concurrency), "--loglevel", "INFO", "--without-mingle", "--without-gossip"]
    with log.open("w", encoding="utf-8") as written:
        process = subprocess.Popen(  # noqa: S603  # our own worker
            [*command, *options], stdin=subprocess.DEVNULL, stdout=written, stderr=written, cwd=ROOT,
            env=child_environment(),
        )  # fmt: skip
    try:
        _wait_ready(process, log)
        yield Worker(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while " ready." not in log.read_text(encoding="utf-8"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise OSError("a worker did not come up:\n" + log.read_text(encoding="utf-8")[-2000:])
        time.sleep(0.1)
