"""`manage.py ingest_reports FILE`: store the REPORT lines of a log file, as often as you like."""

import gzip
import io
import json
import sys
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from services_registry.telemetry.ingest import ingest_stream


class Command(BaseCommand):
    help = "Store the platform lines of a Lambda log file (plain text or NDJSON events, also .gz). Idempotent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the log file, or - for standard input")
        parser.add_argument("--function", default="", help="the function that wrote it, when the file does not say")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with _opened(options["file"]) as stream:
                counts = ingest_stream(stream, function_name=options["function"], source=Path(options["file"]).name)
        except (OSError, EOFError, zlib.error) as error:  # the last two: a .gz that is cut off or damaged
            raise CommandError(
                f"{options['file']} cannot be read: {getattr(error, 'strerror', '') or error}"
            ) from error
        for event, reason in counts.reasons:
            self.stderr.write(json.dumps({"event": event, "reason": reason}))
        facts = asdict(counts)
        del facts["reasons"]
        self.stdout.write(json.dumps(facts))


def _opened(name: str) -> TextIO:
    if name == "-":
        return sys.stdin
    if name.endswith(".gz"):
        return io.TextIOWrapper(gzip.open(name), encoding="utf-8", errors="replace")
    return Path(name).open(encoding="utf-8", errors="replace", newline="\n")
