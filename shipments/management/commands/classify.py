"""manage.py classify FILE.csv: what each carrier message means, as CSV on stdout. Needs no database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shipments.functions.classify_messages.csv_io import ClassifyInputError, classify_csv


class Command(BaseCommand):
    help = (
        "Classify carrier messages. FILE is a UTF-8 CSV with the columns carrier, carrier_code and message; the"
        " same rows come out on stdout with status, reason, confidence, applied, language, translation and decided_by."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with path.open(encoding="utf-8-sig", newline="") as source:
                counts = classify_csv(source, self.stdout)
        except ClassifyInputError as error:
            raise CommandError(f"{path}: {error}") from error
        except OSError as error:
            raise CommandError(f"{path} cannot be read ({error.strerror}). Check the path.") from error
        self.stderr.write(f"{counts.rows} rows, {counts.applied} applied, {counts.unknown} not understood")
