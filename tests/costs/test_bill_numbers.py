"""Numbers of bills are read exactly as they are written, however they are written."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costs.estimate import exact_sum
from costs.imports.reading import read_bill
from costs.imports.shapes import Bill, plain
from costs.imports.sources import on_disk
from tests.costs.bills import CUR, import_costs, write_bill


def read(path: Path) -> Bill:
    with on_disk(path, path.name) as file:
        return read_bill(file)


@st.composite
def written_numbers(draw: st.DrawFn) -> str:
    """Plain and scientific notation, noise of binary numbers, many digits, many decimals."""
    number = draw(
        st.one_of(
            st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, places=draw(st.integers(0, 30))),
            st.floats(min_value=-1e9, max_value=1e9, allow_nan=False).map(
                lambda x: Decimal(repr(x)) if abs(x) > 1e-40 else Decimal(0)
            ),
            st.builds(lambda n, e: Decimal(n).scaleb(-e), st.integers(1, 10**17), st.integers(3, 60)),
        )
    )
    text = draw(st.sampled_from([f"{number:f}", f"{number:E}", f"{number:e}", str(number)]))
    if draw(st.booleans()) and not text.startswith("-"):
        text = "+" + text
    return draw(st.sampled_from([text, f" {text} "]))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(written_numbers(), min_size=1, max_size=12))
def test_every_digit_counts(tmp_path: Path, numbers: list[str]) -> None:
    path = write_bill(tmp_path / "bill.csv", [{"lineItem/UnblendedCost": text} for text in numbers], CUR)
    bill = read(path)
    assert bill.totals()["USD"]["BilledCost"] == exact_sum(Decimal(text.strip()) for text in numbers)
    assert bill.rows == len(numbers)


@pytest.mark.parametrize(
    "text",
    [
        "12,5",
        "$1",
        "1_000",
        "0x10",
        "nan",
        "inf",
        "1e",
        "--1",
        "1.2.3",
        "٣",
        "1 000",
        "1E-12345",
        "1E-61",
        "1E15",
        "abc",
        "",
    ],
)
def test_what_is_no_number_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    rows = [{"lineItem/UnblendedCost": "1", "lineItem/Operation": "two\nlines"}, {"lineItem/UnblendedCost": text}]
    path = write_bill(tmp_path / "bill.csv", rows, CUR)
    with pytest.raises(CommandError, match=r"Line 4: lineItem/UnblendedCost is (empty|no number|no amount)"):
        import_costs(path, "--dry-run")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=28))
def test_text_of_a_sum_reads_back_to_the_same_value(value: Decimal) -> None:
    text = plain(value)
    assert Decimal(text) == value and "E" not in text
