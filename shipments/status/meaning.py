"""What a carrier's code means on a day, by the dated rows of `CodeMapping`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from celery.signals import task_prerun
from django.core.signals import request_started
from django.db.models import Q

from shipments.models import Carrier, CodeMapping
from shipments.status.seed import public_mappings

KEPT_S = 5.0
"""Outside requests and tasks a code book is read again after so long."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """`mapped` is False, and the rest empty, when no row knows the code on that day."""

    status: str
    reason: str
    mapped: bool


NOT_MAPPED = Meaning("", "", mapped=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One dated meaning; `until` is the first day on which it no longer holds."""

    since: date
    until: date | None
    meaning: Meaning

    def holds(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


def spelling(code: str) -> str:
    """Codes are compared without regard to case and to white space around them."""
    return code.strip().upper()


class Codebook:
    """The meanings as they are now, read once per carrier (one query); make one per piece of work."""

    def __init__(self, *, without: int | None = None) -> None:
        """`without`: leave this mapping out, to see what would be if it were gone."""
        self._without = without
        self._rows: dict[int | None, dict[str, list[Row]]] = {}
        self._added: list[tuple[int | None, str, Row]] = []

    def add(self, carrier_id: int | None, code: str, row: Row) -> None:
        """A row that is not stored yet, to see what it would change; it goes before a stored one of the same day."""
        self._added.append((carrier_id, spelling(code), row))
        self._rows.pop(carrier_id, None)

    def look_up(self, carrier_id: int, code: str, day: date) -> Meaning:
        """The carrier's own row of the latest start that holds on `day`; else the row for all carriers; else not mapped."""
        wanted = spelling(code)
        for owner in (carrier_id, None) if wanted else ():
            for row in self._of(owner).get(wanted, ()):
                if row.holds(day):
                    return row.meaning
        return NOT_MAPPED

    def knows(self, carrier_id: int | None, code: str) -> bool:
        """Whether any row, of whatever days, may have given events of this code a meaning."""
        wanted = spelling(code)
        return wanted in self._of(carrier_id) or wanted in self._of(None)

    def _of(self, carrier_id: int | None) -> dict[str, list[Row]]:
        known = self._rows.get(carrier_id)
        if known is None:
            known = self._rows[carrier_id] = self._read(carrier_id)
        return known

    def _read(self, carrier_id: int | None) -> dict[str, list[Row]]:
        rows: dict[str, list[Row]] = {}
        for owner, code, row in self._added:
            if owner == carrier_id:
                rows.setdefault(code, []).append(row)
        for code, row in stored_rows(carrier_id, self._without):
            rows.setdefault(code, []).append(row)
        for dated in rows.values():
            dated.sort(key=lambda row: row.since, reverse=True)  # stable: an added row stays before its equal
        return rows


def stored_rows(carrier_id: int | None, without: int | None = None) -> Iterable[tuple[str, Row]]:
    """What the database says; a carrier that has no row yet first gets the public ones of its name."""
    found = _select(carrier_id, without)
    if not found and carrier_id is not None and without is None:
        carrier = Carrier.objects.filter(pk=carrier_id).first()
        public = public_mappings(carrier) if carrier else []
        if public:
            CodeMapping.objects.bulk_create(public, ignore_conflicts=True)
            found = _select(carrier_id, without)
    return found


def _select(carrier_id: int | None, without: int | None) -> list[tuple[str, Row]]:
    rows = CodeMapping.objects.filter(carrier=carrier_id).exclude(Q(pk=without) if without else Q(pk__in=[]))
    values = rows.order_by("-valid_from", "pk").values_list("code", "valid_from", "valid_until", "status", "reason")
    return [
        (spelling(code), Row(since, until, Meaning(status, reason, mapped=True)))
        for code, since, until, status, reason in values
    ]


_kept = threading.local()


def look_up(carrier_id: int, code: str, day: date) -> Meaning:
    """What `code` of this carrier means for an event of `day` (in UTC).

    The rows are read once per carrier and request or task; a change made elsewhere counts from the next one on.
    """
    book: Codebook | None = getattr(_kept, "book", None)
    if book is None or time.monotonic() - _kept.read > KEPT_S:
        book, _kept.read = Codebook(), time.monotonic()
        _kept.book = book
    return book.look_up(carrier_id, code, day)


def forget(**_signal: Any) -> None:
    """Read the rows anew at the next look-up of this thread."""
    _kept.book = None


request_started.connect(forget)
task_prerun.connect(forget)
