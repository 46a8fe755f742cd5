"""Whether the bytes in the document store are still the ones that were kept."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from shipments.choices import DocumentState
from shipments.documents.copies import ChangedError, LostError, mark_bad, verify
from shipments.models import Document

AT_ONCE = 500


class Command(BaseCommand):
    help = (
        "Reads every document and compares its SHA-256. What is changed or lost goes to quarantine; exit status 1 then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from-id", type=int, default=0, help="go on behind this document")
        parser.add_argument("--dry-run", action="store_true", help="only report")

    def handle(self, *args: Any, **options: Any) -> None:
        last, good, bad = options["from_id"], 0, 0
        rows = Document.objects.exclude(state=DocumentState.DELETED).order_by("pk")
        while portion := list(rows.filter(pk__gt=last)[:AT_ONCE]):
            for document in portion:
                problem = self._problem(document)
                good, bad = good + (not problem), bad + bool(problem)
                if problem:
                    self.stdout.write(f"{document.pk} {document.name}: {problem}")
                if problem and not options["dry_run"]:
                    mark_bad(document, problem)
            last = portion[-1].pk
        self.stdout.write(f"{good} as they were kept, {bad} not")
        if bad:
            sys.exit(1)

    @staticmethod
    def _problem(document: Document) -> str:
        try:
            verify(document)
        except ChangedError:
            return "the bytes in the document store are not the ones that were kept"
        except LostError:
            return "the file is not in the document store any more"
        return ""
