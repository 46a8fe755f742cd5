"""Read documents' texts here and now, instead of waiting for a worker."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from shipments.documents import extraction


class Command(BaseCommand):
    help = "Reads text, pages, language and small picture of documents that wait; --again reads all stored ones anew."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, help="only these documents are put back to be read")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--again", action="store_true", help="put all stored documents back")
        which.add_argument("--failed", action="store_true", help="put those back that could not be read")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["again"] or options["failed"] or options["ids"]:
            count = extraction.read_again(options["ids"] or None, failed_only=options["failed"])
            self.stdout.write(f"{count} documents put back to be read")
        while extraction.work():
            self.stdout.write(f"{extraction.waiting().count()} wait")
        self.stdout.write("nothing waits")
