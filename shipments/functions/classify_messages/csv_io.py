"""A CSV of carrier messages in, the same CSV with the decisions out."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TextIO

from shipments.functions.classify_messages.classifier import Decision, classify

REQUIRED = ("carrier", "carrier_code", "message")
DECIDED = ("status", "reason", "confidence", "applied", "language", "translation", "decided_by")
LONGEST_CELL = 16 * 1024 * 1024
"""Characters; the standard library's own limit of 131,072 would refuse a pasted log."""


class ClassifyInputError(ValueError):
    """The file cannot be classified; the text says what to do about it."""


class Writable(Protocol):
    """Anything with `write`: a file, a buffer, a command's output."""

    def write(self, text: str, /) -> object: ...


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows were read, applied without a person, and not understood."""

    rows: int
    applied: int
    unknown: int


def classify_csv(source: TextIO, target: Writable) -> Counts:
    """Write every row of `source` to `target`, in order, with the decision in the columns DECIDED.

    Other columns stay as they are. A column of the input that has the name of a decided one is kept as `input_<name>`.
    Raises ClassifyInputError for a missing column, a row that does not fit the header, or text that is not UTF-8 CSV.
    """
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(source, strict=True)
    rows = applied = unknown = 0
    try:
        header = [name.strip() for name in next(reader, [])]
        if header:
            header[0] = header[0].removeprefix("\ufeff").strip('" ')
        places = _places(header)
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow([*_renamed(header), *DECIDED])
        for row in _rows(reader, len(header)):
            decision = classify(*(row[place] for place in places))
            writer.writerow([*row, *_cells(decision)])
            rows += 1
            applied += decision.applied
            unknown += decision.status == "unknown"
    except UnicodeDecodeError as error:
        raise ClassifyInputError(
            f"The file is not UTF-8 (byte {error.start}). Save it as CSV UTF-8 and run the command again."
        ) from error
    except csv.Error as error:
        raise ClassifyInputError(
            f"Line {reader.line_num} is not valid CSV ({error}). Check the quotes on that line."
        ) from error
    return Counts(rows, applied, unknown)


def _rows(reader: Iterator[list[str]], width: int) -> Iterator[list[str]]:
    """The data rows, short ones filled up with empty cells, blank lines left out."""
    for number, row in enumerate(reader, start=1):
        if len(row) > width:
            raise ClassifyInputError(
                f"Row {number} has {len(row)} cells, the header has {width}. Put quotes around cells with commas."
            )
        if row:
            yield row + [""] * (width - len(row))


def _places(header: list[str]) -> list[int]:
    names = [name.lower() for name in header]
    if missing := [name for name in REQUIRED if name not in names]:
        found = ", ".join(header) or "nothing"
        raise ClassifyInputError(
            f"Column {', '.join(missing)} is missing. The first line must name carrier, carrier_code and message"
            f" separated by commas; it names: {found[:300]}."
        )
    return [names.index(name) for name in REQUIRED]


def _renamed(header: list[str]) -> list[str]:
    taken = {*header, *DECIDED}
    renamed: list[str] = []
    for name in header:
        kept = name
        if name in DECIDED:
            kept = f"input_{name}"
            while kept in taken:
                kept = f"input_{kept}"
        taken.add(kept)
        renamed.append(kept)
    return renamed


def _cells(decision: Decision) -> list[str]:
    return [
        decision.status,
        decision.reason,
        f"{decision.confidence:.2f}",
        "yes" if decision.applied else "no",
        decision.language,
        decision.translation,
        decision.decided_by,
    ]
