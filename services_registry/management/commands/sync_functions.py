"""`manage.py sync_functions`: bring functions in from AWS now."""

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.aws.errors import AwsError
from services_registry.registry import sync_functions


class Command(BaseCommand):
    help = "Bring the functions of a region in from AWS; running it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--region", default=settings.AWS_REGION)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = sync_functions(region=options["region"])
        except AwsError as error:
            raise CommandError(f"AWS did not list its functions: {error}. Nothing was changed.") from error
        for arn, reason in result.failed:
            self.stderr.write(json.dumps({"function": arn, "reason": reason}))
        self.stdout.write(json.dumps(asdict(result)))
