"""The table of docs/reliability.md, collected from the tests while they run."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.runs import Counts, Run

HEAD = """# Reliability

What the platform does when something breaks, as measured on {date} by `make reliability` on {machine}. The tests in
`tests/faults/` start the whole platform (PostgreSQL, Valkey, web server, worker, beat, the local AWS), break one part of it
while batches are running, and compare what the platform says with what the functions themselves have counted. This file is
written by that run.

- *Items* are total / succeeded / failed / effects. An effect is what can be seen outside of the platform: an item that the
  function has noted as done, a document that is stored.
- *Done again* are items that a function worked on more than once, because its answer had been lost and the batch had
  declared itself repeatable. Their results still count once. Where that is 0 nothing ran twice at all.
- *Calls* are the invocations that reached a function, by its own count (by the engine's where a star stands).

"""
COLUMNS = (
    "Fault",
    "What was done",
    "Items at the fault",
    "Items at the end",
    "Done again",
    "Calls",
    "Seconds",
    "Verdict",
)


@dataclass
class Case:
    """One row: a fault and one batch that it met."""

    fault: str
    what: str
    before: str = ""
    after: str = ""
    again: str = ""
    calls: str = ""
    seconds: str = ""
    passed: bool | None = None

    def at(self, counts: Counts) -> None:
        """The counts when it broke."""
        self.before = str(counts)

    def end(self, run: Run, counts: Counts) -> None:
        """The counts when the batch was over."""
        self.after, self.again, self.seconds = str(counts), str(counts.twice), f"{run.took:.0f}"
        self.calls = f"{run.calls:,}" if run.calls else f"{run.invocations:,}*"

    def line(self) -> str:
        verdict = "passed" if self.passed else "**failed**"
        cells = (self.fault, self.what, self.before, self.after, self.again, self.calls, self.seconds, verdict)
        return f"| {' | '.join(cell or '–' for cell in cells)} |"


@dataclass
class Table:
    """All rows of a test run, in the order of the tests."""

    cases: list[Case] = field(default_factory=list)
    of_test: dict[str, list[Case]] = field(default_factory=dict)

    def add(self, test: str, fault: str, what: str) -> Case:
        case = Case(fault, what)
        self.cases.append(case)
        self.of_test.setdefault(test, []).append(case)
        return case

    def judge(self, test: str, *, passed: bool) -> None:
        """The verdict of a test is that of its rows; one phase that fails is enough."""
        for case in self.of_test.get(test, []):
            case.passed = passed and case.passed is not False

    def write(self, path: Path) -> None:
        machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
        rows = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}", *(case.line() for case in self.cases)]
        text = HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=machine) + "\n".join(rows)
        failed = sum(not case.passed for case in self.cases)
        path.write_text(f"{text}\n\n{len(self.cases)} rows, {failed} failed.\n", encoding="utf-8")
