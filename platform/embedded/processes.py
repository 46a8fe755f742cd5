"""Starting child processes that cannot outlive the supervisor, and finding those that did."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

MARK = "EMBEDDED_STACK"  # in the environment of every child: the data folder it belongs to
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signal_number: int) -> None:
    """Ask the kernel for `signal_number` when the parent dies. A change of user clears it: call this last."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)


def start(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: IO[bytes],
    cwd: Path,
    death_signal: int = signal.SIGKILL,
    enter: Callable[[], None] | None = None,
    user: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, output to `log`.

    `enter` runs in the child before the program (for instance to enter a user namespace); `user` is a
    uid (and gid) to change to before that. Must be called from the main thread: the death signal follows the
    thread that forked.
    """
    parent = os.getpid()

    def prepare() -> None:
        if enter is not None:
            enter()
        die_with_parent(death_signal)
        if os.getppid() != parent:  # the parent died before the request above
            os._exit(1)

    return subprocess.Popen(  # noqa: S603 - our own commands
        [str(part) for part in command],
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=prepare,  # the supervisor has one thread
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )


def signal_group(process: subprocess.Popen[bytes], signal_number: int) -> None:
    """Signal the child and everything it started (its session is its process group)."""
    try:
        os.killpg(process.pid, signal_number)
    except (ProcessLookupError, PermissionError):
        return


def leftovers(data: Path) -> list[int]:
    """Processes of an earlier stack on this data folder that still live (its supervisor was killed)."""
    needle = f"\0{MARK}={data}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if needle in b"\0" + (process / "environ").read_bytes() and int(process.name) != os.getpid():
                found.append(int(process.name))
        except OSError:  # gone meanwhile, or somebody else's
            continue
    return found


def end_leftovers(data: Path, patience: float = 5.0) -> int:
    """Let leftovers finish by themselves for `patience` seconds, then kill them; returns how many there were.

    Call it with the data folder's lock held: whoever carries the mark then has no supervisor any more.
    """
    first = leftovers(data)
    deadline = time.monotonic() + patience
    while (left := leftovers(data)) and time.monotonic() < deadline + 2:
        if time.monotonic() > deadline:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    continue
        time.sleep(0.1)
    return len(first)
