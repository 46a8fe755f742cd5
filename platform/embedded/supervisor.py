"""Keeps children alive: starts them, waits until they are ready, restarts the fallen, stops them in order.

One thread on purpose: the kernel ties a child's life to the *thread* that forked it.

A child's states: stopped -> starting -> ready; starting or ready -> waiting (died, back-off) -> starting; and after
`patience` quick deaths in a row the whole stack gives up with a sentence.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from embedded import processes
from embedded.errors import StackError, file_sentences
from embedded.terminal import Terminal

_BACK_OFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
_QUICK_DEATH_SECONDS = 10.0
_LOG_LIMIT_BYTES = 5 * 2**20
_POLL_SECONDS = 0.05


class StopRequestedError(Exception):
    """Somebody asked the stack to stop; carries nothing."""


@dataclass
class Child:
    """One server. `ready` is asked until it says yes; `stop` is tried in turn as (signal, seconds to wait)."""

    name: str
    command: Sequence[str | Path]
    ready: Callable[[], bool]
    stop: Sequence[tuple[int, float]] = ((signal.SIGTERM, 8.0),)
    death_signal: int = signal.SIGKILL
    ready_seconds: float = 120.0
    patience: int = 4
    enter: Callable[[], None] | None = None
    user: int | None = None
    before_start: Callable[[], None] | None = None

    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    is_ready: bool = field(default=False, init=False)
    started: float = field(default=0.0, init=False)
    ready_after: float = field(default=0.0, init=False)
    quick_deaths: int = field(default=0, init=False)
    start_at: float | None = field(default=None, init=False)
    log_start: int = field(default=0, init=False)


@dataclass(frozen=True)
class Step:
    """A command with an end, running beside the children."""

    name: str
    process: subprocess.Popen[bytes]
    began: float
    seconds: float


class Supervisor:
    """Owns the children of one stack. `stop_requested` is asked in every round of every wait."""

    def __init__(
        self, *, logs: Path, cwd: Path, terminal: Terminal, stop_requested: Callable[[], bool] = lambda: False
    ) -> None:
        self.env: Mapping[str, str] = {}
        self.children: list[Child] = []
        self._steps: list[Step] = []
        self._logs = logs
        self._cwd = cwd
        self._terminal = terminal
        self._stop_requested = stop_requested

    # --- starting ---------------------------------------------------------------------------------------------
    def launch(self, child: Child) -> Child:
        """Start a child without waiting for it."""
        rotate(self.log_path(child.name))
        self.children.append(child)
        self._start(child)
        return child

    def log_path(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def log_since_start(self, child: Child) -> str:
        """What the child has written since its last start."""
        with self.log_path(child.name).open("rb") as log:
            log.seek(child.log_start)
            return log.read().decode("utf-8", "replace")

    def _start(self, child: Child) -> None:
        if child.before_start is not None:
            child.before_start()
        with file_sentences(self._logs), self.log_path(child.name).open("ab") as log:
            child.log_start = log.tell()
            try:
                child.process = processes.start(
                    child.command, env=self.env, log=log, cwd=self._cwd,
                    death_signal=child.death_signal, enter=child.enter, user=child.user,
                )  # fmt: skip
            except (FileNotFoundError, PermissionError, subprocess.SubprocessError) as error:
                raise StackError(f"{child.name} cannot be started: {error}. Run `make setup` and try again.") from error
        child.started = time.monotonic()
        child.start_at = None
        child.is_ready = False

    # --- watching ---------------------------------------------------------------------------------------------
    def wait_ready(self, *names: str) -> None:
        """Watch everything until the named children are ready.

        Raises:
            StackError: one of them is not ready in its time, or keeps dying.
            StopRequestedError: somebody asked to stop meanwhile.
        """
        wanted = [child for child in self.children if child.name in names]
        began = {child.name: time.monotonic() for child in wanted}
        while waiting := [child for child in wanted if not child.is_ready]:
            self.watch_once()
            for child in waiting:
                if not child.is_ready and time.monotonic() - began[child.name] > child.ready_seconds:
                    raise StackError(
                        f"{child.name} was not ready after {child.ready_seconds:.0f} s. {self._log_hint(child.name)}"
                    )

    def begin_step(self, name: str, command: Sequence[str | Path], *, seconds: float) -> Step:
        """Start a command that has an end; `finish_step` waits for it."""
        rotate(self.log_path(name))
        with file_sentences(self._logs), self.log_path(name).open("ab") as log:
            process = processes.start(command, env=self.env, log=log, cwd=self._cwd)
        step = Step(name, process, time.monotonic(), seconds)
        self._steps.append(step)
        return step

    def finish_step(self, step: Step) -> float:
        """Wait for a step's end while the children stay watched; returns the seconds it took in all.

        Raises:
            StackError: it failed, or took longer than it was given.
        """
        while (status := step.process.poll()) is None:
            if time.monotonic() > step.began + step.seconds:
                raise StackError(
                    f"{step.name} took longer than {step.seconds:.0f} s and was ended. {self._log_hint(step.name)}"
                )
            self.watch_once()
        self._steps.remove(step)
        if status:
            raise StackError(f"{step.name} failed (exit status {status}). {self._log_hint(step.name)}")
        return time.monotonic() - step.began

    def watch_for_ever(self) -> None:
        """Keep everything alive until a stop is asked for (StopRequestedError)."""
        while True:
            self.watch_once(0.2)

    def watch_once(self, pause: float = _POLL_SECONDS) -> None:
        """One round: notice deaths, restart what is due, ask the starting ones whether they are ready."""
        if self._stop_requested():
            raise StopRequestedError
        for child in self.children:
            if child.process is None:
                if child.start_at is not None and time.monotonic() >= child.start_at:
                    self._start(child)
            elif (status := child.process.poll()) is not None:
                self._note_death(child, status)
            elif not child.is_ready and child.ready():
                self._note_ready(child)
        time.sleep(pause)

    def _note_ready(self, child: Child) -> None:
        child.is_ready = True
        child.ready_after = time.monotonic() - child.started
        if child.quick_deaths:
            self._terminal.say(f"{child.name} is back after {child.ready_after:.1f} s", "ok")

    def _note_death(self, child: Child, status: int) -> None:
        if child.process is not None:
            processes.signal_group(child.process, signal.SIGKILL)  # what it started must not keep its port or files
        child.process = None
        lived = time.monotonic() - child.started
        child.quick_deaths = child.quick_deaths + 1 if lived < _QUICK_DEATH_SECONDS else 1
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        if child.quick_deaths >= child.patience:
            raise StackError(
                f"{child.name} {how} {child.quick_deaths} times within seconds of its start; giving up. "
                + self._log_hint(child.name)
            )
        if child.is_ready:
            self._terminal.say(f"{child.name} {how} after {lived:.0f} s; starting it again", "warn")
        child.is_ready = False
        child.start_at = time.monotonic() + _BACK_OFF_SECONDS[min(child.quick_deaths, len(_BACK_OFF_SECONDS)) - 1]

    def _log_hint(self, name: str) -> str:
        """The end of a log, for the sentence that reports a failure."""
        path = self.log_path(name)
        try:
            lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        except OSError:
            lines = []
        if any("No space left on device" in line for line in lines[-20:]):
            return f"The disk that holds {path.parent} is full: make room and start again."
        last = "".join(f"\n      {line[:200]}" for line in lines[-4:])
        return f"Its log is {path}" + (f" and ends with:{last}" if last else " and is empty.")

    # --- stopping ---------------------------------------------------------------------------------------------
    def stop(self, *groups: Sequence[str], hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop the named groups one after the other, each group's children together; `hurry` cuts the waits short."""
        for step in self._steps:
            processes.signal_group(step.process, signal.SIGKILL)
            step.process.wait()
        self._steps.clear()
        for group in groups:
            members = [child for child in self.children if child.name in group and child.process is not None]
            self._stop_together(members, hurry)
            self.children = [child for child in self.children if child.name not in group]

    def _stop_together(self, members: list[Child], hurry: Callable[[], bool]) -> None:
        step_of = {child.name: -1 for child in members}
        next_step_at = dict.fromkeys(step_of, 0.0)
        while members:
            for child in members:
                if time.monotonic() < next_step_at[child.name] and not hurry():
                    continue
                step_of[child.name] += 1
                step = step_of[child.name]
                number, wait = child.stop[step] if step < len(child.stop) and not hurry() else (signal.SIGKILL, 5.0)
                next_step_at[child.name] = time.monotonic() + wait
                self._signal(child, number)
            time.sleep(_POLL_SECONDS)
            members = [child for child in members if not self._ended(child)]

    def _signal(self, child: Child, number: int) -> None:
        if child.process is not None and child.process.poll() is None:
            if number == signal.SIGKILL:
                processes.signal_group(child.process, number)
            else:
                child.process.send_signal(number)  # the leader only: it stops its own workers in order

    def _ended(self, child: Child) -> bool:
        if child.process is None:
            return True
        if child.process.poll() is None:
            return False
        processes.signal_group(child.process, signal.SIGKILL)
        child.process = None
        return True


def rotate(log: Path) -> None:
    """Keep one earlier log once the present one is large."""
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_name(log.name + ".1"))
