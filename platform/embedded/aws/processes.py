"""Starting child processes that never outlive this one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _tie_to_parent() -> Callable[[], None] | None:
    """What the child does between fork and exec to tie its life to ours; None where the kernel cannot."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before the line above
            os._exit(1)

    return tie


class Spawner:
    """Starts every child from one thread that lives as long as the process.

    The kernel sends the parent-death signal when the *thread* that forked ends, so a request thread must not fork.
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]]
        self._work = queue.SimpleQueue()
        self._tie = _tie_to_parent()
        threading.Thread(target=self._run, name="spawner", daemon=True).start()

    def start(
        self,
        command: Sequence[str],
        *,
        env: dict[str, str],
        cwd: Path,
        stdout: int | IO[bytes],
        stderr: int | IO[bytes],
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own; OSError when it cannot be started."""

        def popen() -> subprocess.Popen[bytes]:
            return subprocess.Popen(  # noqa: S603 - commands are built by this package
                command,
                env=env,
                cwd=cwd,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                bufsize=0,
                start_new_session=True,
                preexec_fn=self._tie,
            )

        answer: Future[subprocess.Popen[bytes]] = Future()
        self._work.put((popen, answer))
        return answer.result()

    def _run(self) -> None:
        while True:
            popen, answer = self._work.get()
            try:
                answer.set_result(popen())
            except (OSError, subprocess.SubprocessError) as problem:
                answer.set_exception(problem)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process started by Spawner together with everything it started; nothing when it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
