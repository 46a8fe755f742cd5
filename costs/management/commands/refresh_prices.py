"""`manage.py refresh_prices`: hold the price book against AWS's price list."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.aws.errors import AwsError
from costs.price_list import lines_of, price_regions, refresh_from_list


class Command(BaseCommand):
    help = (
        "Ask AWS's price list (pricing:GetProducts) for the regions of our functions. A price that changed holds from today; "
        "earlier days keep theirs. Prints one JSON object with what changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--region", action="append", help="only this one; several times for several")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        regions = options["region"] or price_regions()
        try:
            changes = refresh_from_list(regions, write=not options["dry_run"])
        except AwsError as error:
            raise CommandError(f"The price list cannot be asked: {error}") from error
        self.stdout.write(json.dumps({"regions": regions, "changed": list(lines_of(changes))}))
