"""`manage.py count_unit_costs`: count anew what deliveries cost, for example after a price was corrected."""

from datetime import UTC, date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from costs.unit_costs.refresh import count, refresh


class Command(BaseCommand):
    help = "Count cost per delivery anew: what is due, or whole UTC days. As often as you like."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, help="first day, 2026-11-01")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, help="last day, included; usual: today")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = options["first"], options["last"] or timezone.now().astimezone(UTC).date()
        if first and first > last:
            raise CommandError("The first day must not be after the last.")
        days = count(first, last) if first else refresh()
        self.stdout.write(f"{len(days)} days counted, {days[0]} to {days[-1]}")
