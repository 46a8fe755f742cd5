"""Starts `python -m embedded up` as a person would, on a folder of its own, and talks to it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0


def environment() -> dict[str, str]:
    """This process's, without what the test run's own stack has put there."""
    kept = {name: value for name, value in os.environ.items() if name not in {"DASH_VAR", "PORT", "DATABASE_URL"}}
    return {**kept, "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}"}


def command(data: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "embedded", "up", "--var", str(data), *arguments]


def refused(data: Path, *arguments: str) -> str:
    """What a start that must fail says; it has to end by itself with a status that is not 0 and no traceback."""
    done = subprocess.run(  # noqa: S603  # our own command
        command(data, *arguments), capture_output=True, text=True, check=False,
        timeout=PATIENCE_S, env=environment(), cwd=ROOT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert "Traceback" not in said
    return said


class RunningStack:
    """A stack whose ready line has been read."""

    def __init__(self, data: Path, process: subprocess.Popen[str], ready: dict[str, Any]) -> None:
        self.data = data
        self.process = process
        self.env: dict[str, str] = ready["env"]

    def child(self, name: str) -> int:
        """The pid of the program of that name which belongs to this data folder; 0 when there is none."""
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parts = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(parts[1]) == self.process.pid and (folder / "comm").read_text().strip() == name:
                    return int(folder.name)
        return 0


@contextlib.contextmanager
def stack(data: Path, only: str = "postgres,valkey") -> Iterator[RunningStack]:
    """A ready stack, stopped in order at the end unless the test has ended it already."""
    process = subprocess.Popen(  # noqa: S603  # our own command
        command(data, "--only", only, "--ready-json", "--until-eof"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), cwd=ROOT,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
        line = process.stdout.readline() if ready else ""
        if not line:
            process.kill()
            raise AssertionError(f"the stack did not come up: {process.stderr.read()}")
        yield RunningStack(data, process, json.loads(line))
    finally:
        process.stdin.close()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.stdout.close()
            process.stderr.close()


def eventually(happened: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether it happens within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.05)
    return happened()
