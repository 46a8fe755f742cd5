"""`manage.py import_shipments FILE`: CSV or NDJSON upsert; refused rows on stderr, counts as one JSON line on stdout."""

from __future__ import annotations

import contextlib
import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shipments.deliveries.importer import ErrorFile, Refused, UnreadableFileError, import_shipments


class Command(BaseCommand):
    help = "Take over deliveries from a CSV or NDJSON file (gzip accepted, - is standard input). Bad rows are reported."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--errors", metavar="FILE", help="write refused rows here, to be mended and sent again")

    def handle(self, *args: Any, **options: Any) -> None:
        with contextlib.ExitStack() as stack:
            try:
                stream = (
                    sys.stdin.buffer
                    if options["file"] == "-"
                    else stack.enter_context(Path(options["file"]).open("rb"))
                )
                error_file = None
                if options["errors"]:
                    path = Path(options["errors"])
                    target = path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
                    error_file = ErrorFile(stack.enter_context(target))
            except OSError as error:
                raise CommandError(f"{error.filename}: {error.strerror}", returncode=2) from error

            def report(refused: Refused) -> None:
                self.stderr.write(f"line {refused.line}: {refused.reason}")
                if error_file:
                    error_file.add(refused)

            try:
                result = import_shipments(stream, name=Path(options["file"]).name, on_refused=report)
            except UnreadableFileError as error:
                raise CommandError(str(error), returncode=2) from error
        for note in [*result.notes, *([result.broken] if result.broken else [])]:
            self.stderr.write(f"note: {note}")
        self.stdout.write(json.dumps(result.counts()))
