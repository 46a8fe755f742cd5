"""Rows out of a file as people have them: CSV (any usual delimiter, BOM, quoted newlines) or NDJSON, gzip or not.

Rows come by the file's own column names; what they mean is the mapping's business. Nothing is skipped silently: a line
that cannot be split into cells comes out as a row with its problem. Memory is bounded whatever the file holds.
"""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from shipments.deliveries.columns import Problem, column_of, repaired
from shipments.deliveries.unpacking import Readable, Unpacked, UnreadableFileError

__all__ = ["RawRow", "Readable", "Source", "UnreadableFileError", "bytes_of", "open_source"]

DELIMITERS = ",;\t|"
LONGEST_CELL = 262_144
"""Characters; a longer one is an unclosed quote, not a value."""
LONGEST_LINE = 2_000_000
MOST_COLUMNS = 500
LINES_IN_A_ROW = 500
"""A quoted text over more lines is an unclosed quote."""
IMPORT_COLUMNS = ("import_line", "import_reason", "import_text")
"""What a file of refused rows has besides the columns it came with; ignored when it is sent again."""
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Beginnings that a spreadsheet runs as a formula."""


@dataclass(slots=True)
class RawRow:
    """One row: `values` by the file's column names, `cells` and `text` as it came (for the report of refused rows)."""

    line: int
    values: dict[str, Any]
    text: str
    problem: Problem | None = None
    cells: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Source:
    """`header` is what the file calls its columns; empty for NDJSON, where every row names its own."""

    rows: Iterator[RawRow]
    kind: str
    stream: Unpacked
    header: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def open_source(stream: Readable, *, name: str = "") -> Source:
    """Rows of `stream`; the kind is told from the content, then from the name.

    Raises:
        UnreadableFileError: empty, not text, or without a header.
    """
    unpacked = Unpacked(stream)
    name = name.lower().removesuffix(".gz") if unpacked.packed else name.lower()
    head = unpacked.head()
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise UnreadableFileError(_("The file is empty."))
    if head[:5] == b"%PDF-" or head[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise UnreadableFileError(_("This is not a text file. Save the sheet as CSV (UTF-8) or NDJSON and try again."))
    encoding = _encoding(head)
    text = io.TextIOWrapper(
        unpacked, encoding, errors="surrogateescape" if encoding == "utf-8-sig" else "replace", newline=""
    )
    start = head.decode(encoding, "ignore").lstrip()[:1]
    if start == "[" and not name.endswith(".csv"):
        raise UnreadableFileError(_("This is a JSON list. Write one JSON object per line (NDJSON) instead."))
    if start == "{" or name.endswith((".ndjson", ".jsonl")):
        return Source(_ndjson(_lines(text)), "ndjson", unpacked)
    return _csv(_lines(text), unpacked)


def _encoding(head: bytes) -> str:
    """UTF-16 by its mark or by every other byte being zero; everything else is read as UTF-8, odd bytes kept."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    sample = head[:1000]
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if len(zeros) > 4 and zeros.count(0) > 0.6 * len(zeros):
            return encoding
    return "utf-8-sig"


class _CutLine(str):
    """The beginning of a line that is too long; its rest was passed over."""


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) < LONGEST_LINE or line.endswith(("\n", "\r")):
            yield line
            continue
        while rest := text.readline(LONGEST_LINE):
            if rest.endswith(("\n", "\r")):
                break
        yield _CutLine(f"{line[:LONGEST_CELL]}\n")


_TOO_LONG = Problem("", f"the line has more than {LONGEST_LINE:,} characters", "too_long")


def _ndjson(lines: Iterator[str]) -> Iterator[RawRow]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        shown = line.rstrip("\r\n")
        if isinstance(line, _CutLine):
            yield RawRow(number, {}, shown, _TOO_LONG)
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield RawRow(number, {}, shown, Problem("", f"not JSON: {error}", "not_json"))
            continue
        if not isinstance(found, dict):
            why = 'not a JSON object; write {"carrier": …, "tracking_number": …}'
            yield RawRow(number, {}, shown, Problem("", why, "not_object"))
            continue
        yield RawRow(number, found, shown)


class _Lines:
    """Lines for the CSV reader, which can be given back after an unclosed quote swallowed them."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._returned: deque[str] = deque()
        self.taken: list[str] = []
        self.line = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= LINES_IN_A_ROW:
            raise csv.Error(f"a quoted text over more than {LINES_IN_A_ROW} lines")
        line = self._returned.popleft() if self._returned else next(self._lines)
        self.taken.append(line)
        self.line += 1
        # The reader refuses NUL in some versions; a replaced one is refused with its field and reason.
        return line.replace("\0", "\ufffd") if "\0" in line else line

    def keep_only_first(self) -> str:
        """Give all but the first taken line back, and return that one."""
        first, *rest = self.taken
        self._returned.extendleft(reversed(rest))
        self.line -= len(rest)
        self.taken = [first]
        return first


def _csv(physical: Iterator[str], stream: Unpacked) -> Source:
    csv.field_size_limit(LONGEST_CELL)
    lines = _Lines(physical)
    header_line = ""
    while not header_line.strip():
        lines.taken = []
        header_line = next(lines, "")
        if not header_line:
            raise UnreadableFileError(_("The file has no header line."))
    if isinstance(lines.taken[-1], _CutLine):
        raise UnreadableFileError(_("The first line is too long to be a header line. Is this a CSV file?"))
    delimiter = max(DELIMITERS, key=lambda mark: (_known(header_line, mark), header_line.count(mark)))
    cells = _cells(header_line, delimiter)
    if len(cells) > MOST_COLUMNS:
        raise UnreadableFileError(_("The header line names more than %(n)s columns.") % {"n": MOST_COLUMNS})
    header = named(cells)
    source = Source(_csv_rows(lines, header, delimiter), "csv", stream, header)
    if not any(column_of(cell) for cell in cells) and any(cell[:1].isdigit() for cell in cells):
        source.notes.append(_("The first line looks like data, not like the names of columns. Is the header missing?"))
    return source


def named(cells: Sequence[str]) -> list[str]:
    """The column names, each once: a repeated or an empty one gets its number."""
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = _readable(cell).strip()[:100] or f"column {place}"
        while name in names:
            name = f"{name} (column {place})"
        names.append(name)
    return names


def _readable(text: str) -> str:
    try:
        return repaired(text).replace("\0", "\ufffd")
    except UnicodeError:
        return text.encode("utf-8", "replace").decode()


def _cells(header_line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([header_line], delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableFileError(_("The header line cannot be read: %(error)s.") % {"error": error}) from error


def _known(header_line: str, delimiter: str) -> int:
    try:
        return sum(column_of(_readable(cell)) is not None for cell in _cells(header_line, delimiter))
    except UnreadableFileError:
        return 0


def _csv_rows(lines: _Lines, header: list[str], delimiter: str) -> Iterator[RawRow]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    mended = IMPORT_COLUMNS[0] in header
    while True:
        lines.taken = []
        first = lines.line + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # An unclosed quote would swallow the rest of the file: only its own line is refused.
            shown = lines.keep_only_first().rstrip("\r\n")
            yield RawRow(first, {}, shown, Problem("", f"not readable as CSV: {error}", "not_csv"))
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if mended:
            cells = [unquoted(cell) for cell in cells]
        row = RawRow(first, {}, "".join(lines.taken).rstrip("\r\n"), cells=cells)
        if any(isinstance(line, _CutLine) for line in lines.taken):
            row.problem = _TOO_LONG
        elif len(cells) != len(header):
            why = f"has {len(cells)} values, the header line has {len(header)}; a separator within a value needs quotes"
            row.problem = Problem("", why, "wrong_columns")
        else:
            row.values = dict(zip(header, cells, strict=True))
        yield row


def unquoted(cell: str) -> str:
    """Without the apostrophe that our file of refused rows puts before what looks like a formula."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(RISKY) else cell


def bytes_of(text: str) -> BinaryIO:
    return io.BytesIO(text.encode("utf-8", "surrogateescape"))
