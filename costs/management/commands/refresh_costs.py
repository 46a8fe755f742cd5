"""`manage.py refresh_costs`: make the kept sums of estimated costs anew, for example after prices were entered."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from costs import sums


class Command(BaseCommand):
    help = "Add up estimated costs anew, month by month; running it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--months", type=int, default=sums.LATE_MONTHS, help="how many, with the current one")

    def handle(self, *args: Any, **options: Any) -> None:
        month, written = sums.month_of(sums.utc_today()), {}
        for _step in range(min(max(options["months"], 1), sums.KEPT_MONTHS)):
            written[f"{month:%Y-%m}"] = sums.refresh_month(month)
            month = sums.month_before(month)
        self.stdout.write(json.dumps(written))
