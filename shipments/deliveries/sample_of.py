"""A look into a file before it is imported: its columns, its first rows as they would be taken, what is wrong there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from shipments.choices import Status
from shipments.deliveries.columns import CleanRow, Problem
from shipments.deliveries.importer import understood
from shipments.deliveries.mapping import Meanings, by_name, complaint, meanings_of, remembered
from shipments.deliveries.reading import IMPORT_COLUMNS, RawRow, Readable, UnreadableFileError, open_source
from shipments.deliveries.refused import plain
from shipments.models import ColumnMapping

SHOWN_ROWS = 20
LOOKED_AT = 200
"""Rows whose columns are looked at; rows of NDJSON need not have the same."""
SHOWN_TEXT = 80


@dataclass(slots=True)
class Sample:
    """The beginning of a file."""

    kind: str
    header: list[str]
    rows: list[RawRow]
    notes: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        """Without those that we added to a file of refused rows."""
        return [name for name in self.header if name not in IMPORT_COLUMNS]


@dataclass(frozen=True, slots=True)
class Cell:
    """`left_out`: the column means nothing to us."""

    text: str
    problem: str = ""
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    cells: list[Cell]
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the columns seem to mean; `mapping` is set when somebody said so before."""

    meanings: Meanings
    mapping: ColumnMapping | None = None


def look(stream: Readable, *, name: str) -> Sample:
    """The first rows. Raises UnreadableFileError when there is nothing to read."""
    opened = open_source(stream, name=name)
    rows = list(islice(_until_the_end(opened.rows), LOOKED_AT))
    header = opened.header
    if opened.kind == "ndjson":
        header = list(dict.fromkeys(plain(str(column)) for row in rows for column in row.values))
    return Sample(opened.kind, header, rows[:SHOWN_ROWS], opened.notes)


def _until_the_end(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    """Only the beginning of a long file is looked at, so that it may break off anywhere."""
    found = 0
    try:
        for row in rows:
            found += 1
            yield row
    except UnreadableFileError:
        if not found:
            raise


def propose(sample: Sample) -> Proposal:
    mapping = remembered(sample.header)
    if mapping is not None:
        return Proposal(meanings_of(mapping, sample.columns), mapping)
    return Proposal(Meanings(by_name(sample.columns)))


def complaint_about(sample: Sample, meanings: Meanings) -> str:
    """Why the import cannot begin with these meanings; empty when it can."""
    given = [meanings.field_of(column) for column in sample.columns]
    twice = sorted({name for name in given if name and given.count(name) > 1})
    if twice:
        return _("Two columns are both said to be %(names)s. Choose one of them.") % {"names": ", ".join(twice)}
    if "tracking_number" not in given:
        return _("Choose the column that holds the tracking number.")
    if "carrier" not in given and meanings.carrier is None:
        return _("Choose the column that names the carrier, or the carrier of all rows below.")
    return complaint(meanings, sample.header) if sample.kind == "csv" else ""


def lines_of(sample: Sample, meanings: Meanings) -> list[Line]:
    """The sample as it would be taken over, cell by cell."""
    return [_line(raw, sample.columns, meanings) for raw in sample.rows]


def _line(raw: RawRow, columns: list[str], meanings: Meanings) -> Line:
    row = understood(raw, meanings)
    problems = [Problem(name, plain(why), code) for name, why, code in row.problems]
    if raw.problem:
        return Line(raw.line, [Cell(plain(raw.text)[:SHOWN_TEXT], raw.problem.why)], problems)
    why = {problem.field: problem.why for problem in problems}
    return Line(
        raw.line, [_cell(raw.values.get(name), meanings.field_of(name), row, why) for name in columns], problems
    )


def _cell(value: Any, meaning: str, row: CleanRow, why: Mapping[str, str]) -> Cell:
    raw = plain("" if value is None else str(value))[:SHOWN_TEXT]
    if not meaning:
        return Cell(raw, left_out=True)
    if meaning in why:
        return Cell(raw, why[meaning])
    taken = _taken(meaning, row)
    return Cell(raw if taken is None else plain(taken)[:SHOWN_TEXT])


def _taken(meaning: str, row: CleanRow) -> str | None:
    """How the value was understood; None where the text says it best."""
    if meaning == "carrier":
        return row.carrier_code
    side, _underscore, part = meaning.partition("_")
    if side in row.values and part:
        return str(row.values[side].get(part, ""))
    value = row.values.get(meaning)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d" if not (value.hour or value.minute) else "%Y-%m-%d %H:%M UTC")
    return str(Status(value).label) if meaning == "status" and value else None
