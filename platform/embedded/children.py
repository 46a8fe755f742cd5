"""Child processes that never outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_NOBODY = 65534
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """To be called in the child between fork and exec (Linux)."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def user_namespace_works() -> bool:
    """Whether root may enter a user namespace of its own here (some containers forbid it)."""
    pid = os.fork()
    if pid == 0:
        os._exit(0 if _libc.unshare(_CLONE_NEWUSER) == 0 else 1)
    return os.waitpid(pid, 0)[1] == 0


def _enter_namespace() -> None:
    # PostgreSQL refuses uid 0; inside this namespace root's files belong to `nobody`, outside they stay root's.
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{_NOBODY} 0 1"), ("gid_map", f"{_NOBODY} 0 1")):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)


def not_root() -> Callable[[], None]:
    """A preexec function under which PostgreSQL is willing to run: namespace, else setuid to nobody, else nothing."""
    if os.getuid() != 0:
        return die_with_parent
    if user_namespace_works():

        def in_namespace() -> None:
            _enter_namespace()
            die_with_parent()

        return in_namespace

    def as_nobody() -> None:
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
        die_with_parent()

    return as_nobody


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    preexec: Callable[[], None] = die_with_parent,
) -> subprocess.Popen[bytes]:
    """Start a child in its own session, with its output appended to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  # commands are ours
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=preexec,  # noqa: PLW1509  # the parent starts its children before it starts threads
        )


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM, patience_s: float = 10.0) -> None:
    """End a child politely, then by force after `patience_s`."""
    if process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def rotate(log: Path, largest: int = 5 * 2**20) -> None:
    """Keep one older log file when the present one has grown large."""
    if log.exists() and log.stat().st_size > largest:
        log.replace(log.with_suffix(".log.1"))
