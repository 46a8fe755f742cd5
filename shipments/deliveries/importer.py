"""Deliveries from a file: good rows are kept, bad rows are reported with line, field and reason, none is lost.

An empty cell states nothing: it never erases what is known. The same file twice changes nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

from core.audit import record
from shipments.deliveries.columns import CleanRow, clean
from shipments.deliveries.reading import RawRow, Readable, Source, UnreadableFileError, open_source
from shipments.deliveries.upsert import upsert

ROWS_AT_ONCE = 5_000
NOTES_KEPT = 50

__all__ = ["ErrorFile", "ImportResult", "Refused", "UnreadableFileError", "import_shipments"]


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that was not taken, as it came, and every reason."""

    line: int
    problems: tuple[tuple[str, str], ...]
    text: str

    @property
    def reason(self) -> str:
        return "; ".join(f"{name}: {why}" if name else why for name, why in self.problems)

    @property
    def fields(self) -> str:
        return ", ".join(name for name, _why in self.problems if name)

    def as_json(self) -> dict[str, Any]:
        return {"line": self.line, "field": self.fields, "reason": self.reason}


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


class ErrorFile:
    """A CSV of refused rows: line, field, reason and the original row."""

    def __init__(self, target: TextIO) -> None:
        self._writer = csv.writer(target)
        self._writer.writerow(["line", "field", "reason", "row"])

    def add(self, refused: Refused) -> None:
        shown = refused.text.encode("utf-8", "replace").decode()
        # A leading apostrophe keeps spreadsheets from running a refused cell as a formula.
        shown = f"'{shown}" if shown[:1] in "=+-@" else shown
        self._writer.writerow([refused.line, refused.fields, _plain(refused.reason), shown])


def import_shipments(
    stream: Readable,
    *,
    name: str = "",
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
    opened = open_source(stream, name=name)
    result.notes += opened.notes
    try:
        _take_rows(opened, result, on_refused, sample)
    except UnreadableFileError as error:
        if not result.rows:
            raise
        result.broken = str(error)
    if result.duplicates > NOTES_KEPT:
        result.notes.append(f"{result.duplicates - NOTES_KEPT} further repeated rows")
    if result.rows:
        summary = f"{name or 'text'}: {result.created} created, {result.updated} updated, {result.refused} refused"
        record(actor=actor, verb="shipments.imported", source=source, summary=summary, after=result.counts())
    return result


def _take_rows(opened: Source, result: ImportResult, on_refused: Callable[[Refused], None], sample: bool) -> None:
    waiting: dict[tuple[str, str], tuple[int, CleanRow]] = {}
    try:
        for raw in opened.rows:
            result.rows += 1
            row = clean(raw.values) if not raw.problem else CleanRow(problems=[("", raw.problem)])
            if row.problems:
                result.refused += 1
                on_refused(Refused(raw.line, tuple((name, _plain(why)) for name, why in row.problems), raw.text))
                continue
            _queue(waiting, raw, row, result)
            if len(waiting) >= ROWS_AT_ONCE:
                _write(waiting, result, sample)
    finally:
        # Also when the file breaks off: what was read until then is kept.
        _write(waiting, result, sample)


def _queue(
    waiting: dict[tuple[str, str], tuple[int, CleanRow]], raw: RawRow, row: CleanRow, result: ImportResult
) -> None:
    """A repeated delivery within a batch is merged, the later row wins; it counts as an update of the earlier one."""
    earlier = waiting.get(row.key)
    if earlier is not None:
        line, known = earlier
        merged = {**known.values, **row.values}
        for side in ("sender", "recipient"):
            if side in merged:
                merged[side] = {**known.values.get(side, {}), **row.values.get(side, {})}
        result.duplicates += 1
        if result.duplicates <= NOTES_KEPT:
            result.notes.append(f"line {raw.line} repeats line {line} ({row.key[0]} {row.key[1]}); the later row wins")
        if merged == known.values:
            result.unchanged += 1
        else:
            result.updated += 1
        row.values = merged
    waiting[row.key] = (raw.line, row)


def _write(waiting: dict[tuple[str, str], tuple[int, CleanRow]], result: ImportResult, sample: bool) -> None:
    names = {row.carrier_code: row.carrier_name for _line, row in waiting.values()}
    written = upsert([(row.carrier_code, row.values) for _line, row in waiting.values()], names, sample=sample)
    result.created += written.created
    result.updated += written.updated
    result.unchanged += written.unchanged
    waiting.clear()


def _plain(text: str) -> str:
    """Without the odd bytes of the input, so that it can be printed anywhere."""
    return text.encode("utf-8", "replace").decode()
