"""`manage.py generate_shipments N`: made-up deliveries in millions, for measuring. Never run it on real data."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from shipments.deliveries.generated import generate
from shipments.models import Shipment


class Command(BaseCommand):
    help = "Write N made-up deliveries, marked as sample data, for measuring how the lists behave at volume."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("count", metavar="N", type=int)
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same rows")
        parser.add_argument("--until-now", action="store_true", help="the newest is ordered now, not on a fixed day")
        parser.add_argument("--beside-real", action="store_true", help="also where deliveries are that are no sample")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["count"] < 1:
            raise CommandError("N is at least 1.")
        if not options["beside_real"] and Shipment.objects.filter(sample=False).exists():
            raise CommandError(
                "There are real deliveries here. Say --beside-real if made-up ones may stand among them."
            )
        end = timezone.now() if options["until_now"] else None
        generate(options["count"], seed=options["seed"], end=end)
        self.stdout.write(f"{options['count']:,} deliveries")
