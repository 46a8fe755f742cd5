"""`manage.py import_costs FILE`: billed costs into the figures, as often as you like."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.aws.errors import AwsError
from costs.imports.reading import read_bill
from costs.imports.shapes import UnreadableBillError
from costs.imports.sources import opened
from costs.imports.taking import describe, known_whole, new_import, summary_of, take_file


class Command(BaseCommand):
    help = (
        "Take a bill in: FOCUS 1.0 to 1.2, a Cost and Usage Report (legacy or 2.0) as CSV or parquet, or an answer of "
        "Cost Explorer as JSON; plain, gzip or zip, from a file or from s3://bucket/key. A period that is told again is "
        "replaced; the same file twice changes nothing. Prints one JSON object; amounts are exact decimals as text."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the bill, a folder of its parts, or either in S3: s3://bucket/key")
        parser.add_argument("--dry-run", action="store_true", help="read and sum it, write nothing")
        parser.add_argument("--account", default="", help="whose Cost Explorer answered (its answers do not say)")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["file"]
        try:
            with opened(name) as file:
                if options["dry_run"]:
                    made, changed = new_import(file, door="command"), False
                    describe(made, read_bill(file, account=options["account"]))
                else:
                    changed = known_whole(file) is None
                    made = take_file(file, account=options["account"], door="command")
        except UnreadableBillError as error:
            raise CommandError(f"{name}: {error}") from error
        except (OSError, AwsError) as error:
            raise CommandError(f"{name} cannot be read: {getattr(error, 'strerror', '') or error}") from error
        facts = summary_of(made, changed=changed)
        if options["dry_run"]:
            facts |= {"import": None, "dry_run": True, "notes": made.notes}
        self.stdout.write(json.dumps(facts))
