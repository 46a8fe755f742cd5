"""`manage.py parse_reports FILE`: Lambda log lines in, one JSON object per platform line out. Needs no database."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from django.core.management.base import BaseCommand, CommandError

from services_registry.telemetry.parser import PlatformLine, Reject, Tally, parse_file

# The values of a line that the command prints, when the line states them. This list is a promise to other programs.
FIELDS: Final = (
    "request_id",
    "duration_ms",
    "billed_ms",
    "memory_mb",
    "max_memory_mb",
    "init_ms",
    "restore_ms",
    "billed_restore_ms",
    "status",
    "error_type",
    "phase",
    "timeout_s",
)


class Command(BaseCommand):
    """Streams: memory does not grow with the file. Rejects never stop it; they are counted on stderr."""

    help = (
        "Read plain Lambda log text or NDJSON of CloudWatch events and print one JSON object per platform line "
        "(REPORT, START, END, TIMEOUT, platform.*, ...). Rejects are counted on stderr."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the log file, or - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        tally, kinds, rejects, unread = Tally(), Counter[str](), Counter[str](), 0
        first_reject: int | None = None
        with opened(options["file"]) as stream:
            for event, found in parse_file(stream, tally):
                if isinstance(found, Reject):
                    rejects[found.reason] += 1
                    first_reject = event if first_reject is None else first_reject
                    continue
                kinds[found.kind] += 1
                unread += len(found.unread)
                self.stdout.write(as_json(event, found))
        self.stderr.write(summary(tally, kinds, rejects, first_reject, unread), style_func=str)


@contextmanager
def opened(name: str) -> Iterator[IO[str]]:
    """The file as text. Bytes that are not UTF-8 become replacement characters; only `\\n` ends a physical line."""
    if name == "-":
        sys.stdin.reconfigure(encoding="utf-8", errors="replace", newline="\n")  # type: ignore[union-attr]  # a real stdin
        yield sys.stdin
        return
    try:
        stream = Path(name).open(encoding="utf-8", errors="replace", newline="\n")  # noqa: SIM115 - closed below
    except OSError as error:
        raise CommandError(
            f"Cannot read {name}: {error.strerror}. Give the path of a log file, or - for stdin."
        ) from error
    with stream:
        yield stream


def as_json(event: int, line: PlatformLine) -> str:
    """One line of output: the event, the kind, and of the promised values those that the log line states."""
    stated: dict[str, Any] = {"event": event, "kind": line.kind}
    for field in FIELDS:
        value = getattr(line, field)
        if value is not None:
            stated[field] = value
    return json.dumps(stated, ensure_ascii=False)


def summary(tally: Tally, kinds: Counter[str], rejects: Counter[str], first_reject: int | None, unread: int) -> str:
    """What was read, in one line for a person."""
    parts = [
        f"{tally.events} events",
        f"{kinds.total()} platform lines{_counts(kinds)}",
        f"{rejects.total()} rejected{_counts(rejects)}"
        + ("" if first_reject is None else f", the first in event {first_reject}"),
        f"{tally.ordinary} events of ordinary text",
        f"{unread} values left out because cut off or unreadable",
    ]
    return "parse_reports: " + "; ".join(parts) + "."


def _counts(counter: Counter[str]) -> str:
    return f" ({', '.join(f'{name} {count}' for name, count in counter.most_common())})" if counter else ""
