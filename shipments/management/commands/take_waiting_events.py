"""`manage.py take_waiting_events`: tracking events that came before their delivery, taken over now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from shipments.events import take_waiting


class Command(BaseCommand):
    help = "Go through the webhooks on which events wait for their delivery. Harmless at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{take_waiting():,} events")
