"""Asks the process that opens files (`child`), and does without it when it hangs, dies or grows.

    with Reader() as reader:
        answer = reader.ask("text", path=path, kind=kind, …)

The process is started at the first question, serves many, and is replaced after a time-out.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 20.0
"""For one answer; reading a document takes some milliseconds."""


class UnreadableError(Exception):
    """The file cannot be worked on; the message says why, for people."""


class Reader:
    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.restarted = False
        """Whether a process had to be given up: what it had begun is gone."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, op: str, *, within: float = SECONDS, **values: Any) -> dict[str, Any]:
        """The answer to one question.

        Raises:
            UnreadableError: the file is no good, or the answer did not come within so many seconds.
        """
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101  # both are pipes
        try:
            process.stdin.write(json.dumps({"op": op, **values}).encode() + b"\n")
            process.stdin.flush()
            line: bytes | None = _line(process, within)
        except BrokenPipeError:
            line = b""
        if not line:
            self.restarted = True
            self.close()
            raise UnreadableError(
                f"it took longer than {within:g} s"
                if line is None
                else "the program that reads files broke down over it"
            )
        answer: dict[str, Any] = json.loads(line)
        if not answer.pop("ok"):
            raise UnreadableError(str(answer["reason"]))
        return answer

    def close(self) -> None:
        """End the process; the next question starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()

    def _start(self) -> subprocess.Popen[bytes]:
        # Nothing of our environment: no secrets where files of others are opened.
        environment = {"PYTHONPATH": str(ROOT), "PATH": os.defpath, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(  # noqa: S603  # our own module
            [sys.executable, "-m", "shipments.documents.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=ROOT,
        )
        return self._process


def _line(process: subprocess.Popen[bytes], within: float) -> bytes | None:
    """One line; none when it does not come in time, empty when the process is gone. There is one answer to a question."""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]  # it is a pipe
        if not selector.select(within):
            return None
    return process.stdout.readline() if process.stdout else b""
