"""`manage.py refresh_home`: count the numbers of the home page now, as the schedule does every five minutes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shipments.rollups import refresh


class Command(BaseCommand):
    help = "Count the numbers of the home page now. Exit status 1 when a part could not be counted."

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes = refresh()
        for outcome in outcomes:
            said = f"{outcome.took_ms} ms" if outcome.said == "counted" else outcome.problem or outcome.said
            self.stdout.write(f"{outcome.part:<10} {said}")
        if any(outcome.said == "failed" for outcome in outcomes):
            raise CommandError("Not everything was counted; the old numbers stay.")
