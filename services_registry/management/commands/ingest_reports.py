"""`manage.py ingest_reports FILE`: store the REPORT lines of a log file or object, as often as you like."""

import json
import zlib
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.aws.errors import AwsError
from services_registry.telemetry.doors.files import opened
from services_registry.telemetry.ingest import ingest_stream


class Command(BaseCommand):
    help = (
        "Store the platform lines of a Lambda log: plain text, NDJSON events or CloudWatch subscription envelopes, "
        "also as gzip, from a file, from s3://bucket/key or from standard input (-). Idempotent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the log file, s3://bucket/key, or - for standard input")
        parser.add_argument("--function", default="", help="the function that wrote it, when the file does not say")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["file"]
        source = name if name.startswith("s3://") else PurePosixPath(name).name
        try:
            with opened(name) as stream:
                counts = ingest_stream(stream, function_name=options["function"], source=source)
        # EOFError and zlib.error: a gzip that is cut off or damaged.
        except (OSError, EOFError, zlib.error, AwsError, ValueError) as error:
            raise CommandError(f"{name} cannot be read: {getattr(error, 'strerror', '') or error}") from error
        for event, reason in counts.reasons:
            self.stderr.write(json.dumps({"event": event, "reason": reason}))
        facts = asdict(counts)
        del facts["reasons"]
        self.stdout.write(json.dumps(facts))
