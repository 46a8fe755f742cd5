"""CSV downloads: harmless in a spreadsheet, exact in a program, never held whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from core.csv_stream import ROWS_AT_ONCE, csv_blocks, csv_response, safe_cell


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\r=x", "\n=x", "-", "+", "=", "--5", "-1,5", "- 5"],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("value", ["-12.5", "+3", "-0", "1e-9", "-1E+5", -7, -2.5, Decimal("-0.10")])
def test_plain_numbers_stay_numbers(value: object) -> None:
    assert safe_cell(value) == str(value)


def test_values_are_written_the_same_in_every_place() -> None:
    madrid = timezone(timedelta(hours=1))
    assert safe_cell(datetime(2026, 11, 23, 1, 30, tzinfo=madrid)) == "2026-11-23T00:30:00.000+00:00"
    assert [safe_cell(value) for value in (None, True, False, 0, "a=b")] == ["", "yes", "no", "0", "a=b"]


def test_quotes_commas_and_line_ends_come_back_as_they_were() -> None:
    row = ['say "hi"', "a,b", "two\r\nlines", "émigré", ""]
    text = b"".join(csv_blocks(["a", "b", "c", "d", "e"], [row])).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["a", "b", "c", "d", "e"], row]


def test_rows_are_asked_for_only_when_they_are_sent() -> None:
    asked = 0

    def rows() -> Iterator[list[int]]:
        nonlocal asked
        for number in range(10 * ROWS_AT_ONCE):
            asked += 1
            yield [number]

    blocks = csv_blocks(["n"], rows())
    assert next(blocks) == b"n\r\n"
    next(blocks)
    assert asked <= 2 * ROWS_AT_ONCE
    assert sum(block.count(b"\n") for block in blocks) == 9 * ROWS_AT_ONCE


def test_the_download_names_its_file() -> None:
    response = csv_response("batches é.csv", ["a"], [])
    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response["Content-Disposition"]
    assert safe_cell(datetime(2026, 11, 23, tzinfo=UTC).date()) == "2026-11-23"
