"""Bring a migrated database to a usable state: the steps that the apps registered, in order. Safe to repeat."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core import slots


class Command(BaseCommand):
    help = "Run the first-start steps of all apps (groups, logins, bucket, functions, sample data). Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        for step in slots.setup_steps:
            if step.sample_only and not settings.SAMPLE_DATA:
                continue
            self._run(step)

    def _run(self, step: slots.SetupStep) -> None:
        said: list[str] = []
        started = time.monotonic()
        try:
            step.run(said.append)
        except Exception as error:
            raise CommandError(
                f"{step.name}: {error} (what the earlier steps did is kept; repeat the command)"
            ) from error
        seconds = time.monotonic() - started
        self.stdout.write(f"{step.name}: {'; '.join(said) or 'done'} ({seconds:.1f} s)")
