"""`manage.py import_messages FILE`: carrier messages from a CSV; refused rows on stderr, counts as JSON on stdout."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shipments.messages.importer import UnreadableMessagesError, import_messages


class Command(BaseCommand):
    help = "Take in carrier messages (columns carrier, carrier_code, message; optional tracking_number, received)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with Path(options["file"]).open(encoding="utf-8-sig", errors="replace", newline="") as source:
                counts = import_messages(source, on_refused=self._refused)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from error
        except UnreadableMessagesError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(asdict(counts)))

    def _refused(self, line: int, reason: str) -> None:
        self.stderr.write(json.dumps({"line": line, "reason": reason}))
