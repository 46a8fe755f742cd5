"""`manage.py sync_functions`: bring functions in from AWS now."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from services_registry.models import SyncRun
from services_registry.registry import Place, places, sync_place

COUNTS = ("seen", "created", "changed", "unchanged", "gone")


class Command(BaseCommand):
    help = "Bring functions in from AWS, of every account and region on record; running it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--region", help="only this region")
        parser.add_argument("--full", action="store_true", help="read every function and its details, not only changes")

    def handle(self, *args: Any, **options: Any) -> None:
        region = options["region"]
        wanted = [place for place in places() if region in (None, place.region)] or [Place(None, region)]
        runs = [sync_place(place, full=options["full"]) for place in wanted]
        for run in runs:
            self._say(run)
        if broken := [run for run in runs if run.problem]:
            reasons = "; ".join(f"{run.account or 'own account'} {run.region}: {run.problem}" for run in broken)
            raise CommandError(f"AWS did not list its functions: {reasons}. Nothing was changed there.")

    def _say(self, run: SyncRun) -> None:
        for arn, reason in run.failed:
            self.stderr.write(json.dumps({"function": arn, "reason": reason}))
        if not run.problem:
            counts = {name: getattr(run, name) for name in COUNTS} | {"failed": run.failed}
            self.stdout.write(json.dumps(counts))
