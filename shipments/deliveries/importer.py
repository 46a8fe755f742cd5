"""Deliveries from a file: good rows are kept, bad rows are reported with line, field and reason, none is lost.

An empty cell states nothing: it never erases what is known. The same file twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from core.audit import record
from shipments.deliveries.columns import CleanRow, clean
from shipments.deliveries.gathering import Gathered
from shipments.deliveries.mapping import Meanings, complaint
from shipments.deliveries.reading import RawRow, Readable, Source, UnreadableFileError, open_source
from shipments.deliveries.refused import ErrorFile, Refused
from shipments.deliveries.upsert import Written, upsert

ROWS_AT_ONCE = 5_000
NOTES_KEPT = 50

__all__ = ["ErrorFile", "ImportResult", "Refused", "UnreadableFileError", "import_shipments", "understood"]


@dataclass(slots=True)
class ImportResult:
    """`rows` = created + updated + unchanged + refused. `broken`: where and why the file ended early, else empty."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    duplicates: int = 0
    notes: list[str] = field(default_factory=list)
    broken: str = ""

    def counts(self) -> dict[str, int]:
        names = ("rows", "created", "updated", "unchanged", "refused", "duplicates")
        return {name: getattr(self, name) for name in names}

    @property
    def summary(self) -> str:
        return f"{self.created} created, {self.updated} updated, {self.refused} refused"


Step = Callable[[ImportResult, int], None]
"""(what was done until now, bytes of the file read)"""


def _nothing(result: ImportResult, done: int) -> None:
    """Nobody watches."""


def import_shipments(
    stream: Readable,
    *,
    name: str = "",
    meanings: Meanings | None = None,
    on_refused: Callable[[Refused], None] = lambda refused: None,
    actor: Any = None,
    source: str = "command",
    sample: bool = False,
) -> ImportResult:
    """Take over all good rows of a CSV or NDJSON stream, in transactions of 5,000 rows.

    Raises:
        UnreadableFileError: nothing could be read at all.
    """
    result = ImportResult()
    work = Importing(result, meanings or Meanings(), on_refused, sample=sample)
    work.run(open_source(stream, name=name))
    if result.rows:
        summary = f"{name or 'text'}: {result.summary}"
        record(actor=actor, verb="shipments.imported", source=source, summary=summary, after=result.counts())
    return result


def understood(raw: RawRow, meanings: Meanings) -> CleanRow:
    """One row as it will be written, or its problems."""
    if raw.problem:
        return CleanRow(problems=[raw.problem])
    values, problems = meanings.read(raw.values)
    row = clean(values)
    row.problems[:0] = problems
    return row


@dataclass(slots=True)
class Importing:
    """One file on its way in.

    `after_batch` runs in the transaction of every batch, `on_step` also in between. `skip`: so many rows were dealt with
    by an earlier try, whose counts are in `result`; they are read again only for the file of refused rows.
    """

    result: ImportResult
    meanings: Meanings
    on_refused: Callable[[Refused], None] = lambda refused: None
    after_batch: Step = _nothing
    on_step: Step = _nothing
    skip: int = 0
    sample: bool = False

    def run(self, opened: Source) -> None:
        """Raises UnreadableFileError when nothing could be read at all; sets `broken` when the file ends early."""
        if opened.header and (why := complaint(self.meanings, opened.header)):
            raise UnreadableFileError(why)
        if not self.skip:
            self.result.notes += opened.notes
            if unused := self.meanings.unused(opened.header):
                self.result.notes.append(_("columns not used: %(names)s") % {"names": ", ".join(unused)})
        try:
            self._take_rows(opened)
        except UnreadableFileError as error:
            if not self.result.rows:
                raise
            self.result.broken = str(error)
        if self.result.duplicates > NOTES_KEPT:
            more = self.result.duplicates - NOTES_KEPT
            self.result.notes.append(_("%(n)s further repeated rows") % {"n": more})

    def _take_rows(self, opened: Source) -> None:
        waiting = Gathered()
        read = refused = 0
        try:
            for raw in opened.rows:
                read += 1
                row = understood(raw, self.meanings)
                if row.problems:
                    refused += 1
                    self.on_refused(Refused.of(raw, row.problems, opened.header))
                if read > self.skip:
                    self.result.rows, self.result.refused = read, refused
                    if not row.problems:
                        self._queue(waiting, raw.line, row)
                if len(waiting) >= ROWS_AT_ONCE:
                    self._write(waiting, opened)
                if read % 1_000 == 0:
                    self.on_step(self.result, opened.stream.done)
        except UnreadableFileError:
            self._write(waiting, opened)  # what was read until the file broke off is kept
            raise
        self._write(waiting, opened)

    def _queue(self, waiting: Gathered, line: int, row: CleanRow) -> None:
        """A repeated delivery within a batch counts as an update of the earlier one."""
        code, number = row.key
        repeated = waiting.add(line, row)
        if repeated is None:
            return
        first, said = repeated
        self.result.duplicates += 1
        if self.result.duplicates <= NOTES_KEPT:
            note = _("line %(line)s repeats line %(first)s (%(carrier)s %(number)s); the later row wins")
            self.result.notes.append(note % {"line": line, "first": first, "carrier": code, "number": number})
        setattr(self.result, said, getattr(self.result, said) + 1)

    def _write(self, waiting: Gathered, opened: Source) -> None:
        before = self.result

        def beside(written: Written) -> None:
            self.result.created = before.created + written.created
            self.result.updated = before.updated + written.updated
            self.result.unchanged = before.unchanged + written.unchanged
            self.after_batch(self.result, opened.stream.done)

        before = replace(self.result)
        upsert(waiting.values(), waiting.names(), sample=self.sample, beside=beside)
        waiting.rows.clear()
