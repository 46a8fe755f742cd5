"""`manage.py publish_functions FILE`: publish function configurations to the local AWS, to try the sync on a real fleet."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.aws.errors import AwsError
from services_registry.samples.publish import publish_configurations


class Command(BaseCommand):
    help = 'Publish {"functions": [{function_name, runtime, handler, memory_mb, timeout_s, ...}]} to the local AWS.'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.AWS_ENDPOINT_URL:
            raise CommandError("This publishes made-up code; it works with the local AWS of the embedded stack only.")
        try:
            functions = json.loads(Path(options["file"]).read_text(encoding="utf-8"))["functions"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{options['file']} is not a list of configurations: {error}") from error
        try:
            published, refused = publish_configurations(functions)
        except AwsError as error:
            raise CommandError(f"The local AWS did not answer: {error}") from error
        for name, reason in refused:
            self.stderr.write(json.dumps({"function": name, "reason": reason}))
        self.stdout.write(json.dumps({"seen": len(functions), "published": published, "refused": len(refused)}))
