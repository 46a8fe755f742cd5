"""Rows that were not taken, and the file of them: to be mended and sent again as it is."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from shipments.deliveries.columns import Problem
from shipments.deliveries.reading import IMPORT_COLUMNS, RISKY, RawRow

_PLAIN_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that was not taken, as it came, and every reason."""

    line: int
    problems: tuple[Problem, ...]
    text: str
    header: Sequence[str] = ()
    """The file's columns; empty for NDJSON."""
    cells: Sequence[str] = ()
    values: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: RawRow, problems: Sequence[Problem], header: Sequence[str]) -> Refused:
        said = tuple(Problem(name, plain(why), code) for name, why, code in problems)
        return cls(raw.line, said, raw.text, header, raw.cells, raw.values)

    @property
    def reason(self) -> str:
        return "; ".join(f"{name}: {why}" if name else why for name, why, _code in self.problems)

    @property
    def fields(self) -> str:
        return ", ".join(name for name, _why, _code in self.problems if name)

    def as_json(self) -> dict[str, Any]:
        return {"line": self.line, "field": self.fields, "reason": self.reason}


class ErrorFile:
    """The refused rows in the form in which they came, CSV or NDJSON, each with its line and the reasons.

    Sent again, the added columns are passed over. Open the target with `errors="surrogateescape"`: bytes that could not
    be read are written as they came.
    """

    def __init__(self, target: TextIO) -> None:
        self._target = target
        self._writer = csv.writer(target)
        self._begun = False

    def add(self, refused: Refused) -> None:
        line_column, reason_column, text_column = IMPORT_COLUMNS
        if not refused.header:
            row = refused.values or {text_column: refused.text}
            kept = {name: value for name, value in row.items() if name not in (line_column, reason_column)}
            said = {line_column: refused.line, reason_column: refused.reason}
            self._target.write(json.dumps(said | kept, ensure_ascii=False) + "\n")
            return
        places = [place for place, name in enumerate(refused.header) if name not in (line_column, reason_column)]
        if not self._begun:
            self._writer.writerow([line_column, reason_column, *(safe(refused.header[place]) for place in places)])
            self._begun = True
        cells = list(refused.cells) or [refused.text]
        kept_cells = [cells[place] for place in places if place < len(cells)] + cells[len(refused.header) :]
        self._writer.writerow([refused.line, refused.reason, *map(safe, kept_cells)])


def safe(cell: str) -> str:
    """An apostrophe keeps spreadsheets from running a refused cell as a formula; `reading.unquoted` takes it away."""
    return f"'{cell}" if cell.lstrip("'").startswith(RISKY) and not _PLAIN_NUMBER.fullmatch(cell) else cell


def plain(text: str) -> str:
    """Without the odd bytes of the input, so that it can be printed and stored anywhere."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
