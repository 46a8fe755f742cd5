"""`manage.py reconcile_costs`: estimated against billed, for months whose bill changed, or for one."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from costs.reconciliation.refresh import reconcile, refresh


class Command(BaseCommand):
    help = (
        "Hold the estimates of functions against the bill: months whose bill changed and the latest two, or one month."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", default="", help="for example 2026-10, whether it changed or not")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["month"]:
            self.stdout.write(f"{refresh()} months reckoned")
            return
        try:
            month = date.fromisoformat(f"{options['month']}-01")
        except ValueError as error:
            raise CommandError(f"--month {options['month']}: write it as 2026-10") from error
        self.stdout.write(f"{reconcile(month)} rows of {month:%Y-%m}")
