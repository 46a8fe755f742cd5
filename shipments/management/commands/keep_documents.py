"""Retention by hand: what the nightly task does."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from shipments.documents import retention
from shipments.models import RetentionRule


class Command(BaseCommand):
    help = "Deletes documents for good as active retention rules say. --dry-run only counts, inactive rules too."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            for rule in RetentionRule.objects.all():
                state = "active" if rule.active else "not active"
                self.stdout.write(f"{rule} ({state}): {retention.overdue(rule).count()} documents")
            return
        for type, count in retention.apply_rules().items():
            self.stdout.write(f"{type}: {count} documents deleted")
