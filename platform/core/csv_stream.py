"""CSV downloads of any length: rows are read, written and sent a block at a time, never held together.

A spreadsheet runs a text that begins like a formula. Such a text gets an apostrophe in front, which spreadsheets do not
show ("CSV Injection", OWASP); plain numbers keep their sign.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

ROWS_AT_ONCE = 500
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def safe_cell(value: Any) -> str:
    """One cell as text: empty for None, yes or no, moments in UTC, no formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(_RISKY) and not _PLAIN_NUMBER.fullmatch(text) else text


def csv_blocks(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """The file in blocks of at most 500 lines, UTF-8, lines ended by CR LF (RFC 4180)."""
    remaining = iter(rows)
    block: list[Sequence[Any]] = [header]
    while block:
        yield _block(block)
        block = list(islice(remaining, ROWS_AT_ONCE))


def _block(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([safe_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def csv_response(filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A download that starts at once. Give it an iterator, for example of a server-side cursor."""
    response = StreamingHttpResponse(csv_blocks(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, filename)
    response["Cache-Control"] = "private, no-store"
    return response
