"""Rows out of a file as people have them: CSV (any usual delimiter, BOM, quoted newlines) or NDJSON, gzip or not.

Nothing is skipped silently: a line that cannot be split into cells comes out as an `Unreadable` with its line number.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from shipments.deliveries.columns import ALIASES, column_of

DELIMITERS = ",;\t|"
LONGEST_CELL = 1_000_000
"""Characters; a longer one is an unclosed quote, not a value."""
UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class UnreadableFileError(Exception):
    """The file as a whole cannot be used; the message says why and what to do."""


@dataclass(slots=True)
class RawRow:
    """One row: `values` by our column name, `text` as it came (for the report of refused rows)."""

    line: int
    values: dict[str, Any]
    text: str
    problem: str = ""


@dataclass(slots=True)
class Source:
    rows: Iterator[RawRow]
    kind: str
    notes: list[str] = field(default_factory=list)


class _Raw(io.RawIOBase):
    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def open_source(stream: Readable, *, name: str = "") -> Source:
    """Rows of `stream`; the kind is told from the content, then from the name.

    Raises:
        UnreadableFileError: empty, not text, or without the columns that every row needs.
    """
    buffered = io.BufferedReader(_Raw(stream), 1 << 16)
    if buffered.peek(2)[:2] == b"\x1f\x8b":
        buffered = io.BufferedReader(gzip.GzipFile(fileobj=buffered), 1 << 16)  # type: ignore[arg-type]  # is a raw stream
        name = name.removesuffix(".gz")
    try:
        head = buffered.peek(4096)
    except (OSError, EOFError) as error:
        raise UnreadableFileError(f"The file cannot be unpacked: {error}.") from error
    if not head.strip():
        raise UnreadableFileError("The file is empty.")
    if head[:2] in UTF16:
        text = io.TextIOWrapper(buffered, "utf-16", errors="replace", newline="")
    elif head[:5] in {b"%PDF-"} or head[:4] == b"PK\x03\x04":
        raise UnreadableFileError("This is not a text file. Save the sheet as CSV (UTF-8) or NDJSON and try again.")
    else:
        text = io.TextIOWrapper(buffered, "utf-8-sig", errors="surrogateescape", newline="")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"[" and not name.endswith(".csv"):
        raise UnreadableFileError("This is a JSON list. Write one JSON object per line (NDJSON) instead.")
    if start == b"{" or name.endswith((".ndjson", ".jsonl")):
        return Source(_ndjson(text), "ndjson")
    return _csv(text)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Physical lines. A damaged gzip ends the file with an error instead of a silent cut."""
    try:
        yield from text
    except (OSError, EOFError) as error:
        raise UnreadableFileError(
            f"The file breaks off: {error}. Everything before was taken; send the whole file again."
        ) from error


def _ndjson(text: io.TextIOWrapper) -> Iterator[RawRow]:
    for number, line in enumerate(_lines(text), 1):
        if not line.strip():
            continue
        shown = line.rstrip("\r\n")
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield RawRow(number, {}, shown, f"not JSON: {error}")
            continue
        if not isinstance(found, dict):
            yield RawRow(number, {}, shown, 'not a JSON object; write {"carrier": …, "tracking_number": …}')
            continue
        yield RawRow(number, {column_of(key) or key: value for key, value in found.items()}, shown)


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
        line = self._returned.popleft() if self._returned else next(self._lines)
        self.taken.append(line)
        self.line += 1
        return line

    def keep_only_first(self) -> str:
        """Give all but the first taken line back, and return that one."""
        first, *rest = self.taken
        self._returned.extendleft(reversed(rest))
        self.line -= len(rest)
        return first


def _csv(text: io.TextIOWrapper) -> Source:
    csv.field_size_limit(LONGEST_CELL)
    lines = _Lines(line.replace("\0", "\ufffd") for line in _lines(text))
    header_line = ""
    while not header_line.strip():
        header_line = next(lines, "")
        if not header_line:
            raise UnreadableFileError("The file has no header line.")
    delimiter = max(DELIMITERS, key=lambda mark: (_known(header_line, mark), header_line.count(mark)))
    cells = [cell.strip() for cell in next(csv.reader([header_line], delimiter=delimiter))]
    header = [column_of(cell) for cell in cells]
    for needed in ("carrier", "tracking_number"):
        if needed not in header:
            spellings = ", ".join(sorted(alias for alias, column in ALIASES.items() if column == needed))
            raise UnreadableFileError(
                f"The header line has no column {needed} (also accepted: {spellings}). It reads: {header_line.strip()[:200]}"
            )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise UnreadableFileError(f"The header line names {', '.join(twice)} more than once. Keep one of them.")
    ignored = [cell for cell, name in zip(cells, header, strict=True) if name is None and cell]
    notes = [f"columns not used: {', '.join(ignored)}"] if ignored else []
    return Source(_csv_rows(lines, header, delimiter), "csv", notes)


def _known(header_line: str, delimiter: str) -> int:
    try:
        return sum(column_of(cell) is not None for cell in next(csv.reader([header_line], delimiter=delimiter)))
    except csv.Error:
        return 0


def _csv_rows(lines: _Lines, header: list[str | None], delimiter: str) -> Iterator[RawRow]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.taken = []
        first = lines.line + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # An unclosed quote would swallow the rest of the file: only its own line is refused.
            yield RawRow(first, {}, lines.keep_only_first().rstrip("\r\n"), f"not readable as CSV: {error}")
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        shown = "".join(lines.taken).rstrip("\r\n")
        if len(cells) != len(header):
            yield RawRow(first, {}, shown, f"has {len(cells)} values, the header line has {len(header)}")
            continue
        yield RawRow(first, {name: cell for name, cell in zip(header, cells, strict=True) if name}, shown)


def bytes_of(text: str) -> BinaryIO:
    return io.BytesIO(text.encode("utf-8", "surrogateescape"))
