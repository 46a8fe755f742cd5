"""Code 128: the standard's properties, published vectors, and a printed page read back."""

import io
import shutil
import subprocess
from itertools import groupby
from pathlib import Path

import pytest
from PIL import Image

from shipments.functions.render_pdf import barcode


def test_table_has_the_standards_properties() -> None:
    assert len(barcode.WIDTHS) == len(set(barcode.WIDTHS)) == 107
    for widths in barcode.WIDTHS[:-1]:
        assert sum(map(int, widths)) == 11
        assert sum(map(int, widths[::2])) % 2 == 0
    assert barcode.WIDTHS[barcode.STOP] == "2331112"


def test_check_symbol_of_the_published_example() -> None:
    # "PJJ123C" in code set A, the example of the public encyclopaedia article: check symbol 54.
    assert barcode.check_symbol([103, 48, 42, 42, 17, 18, 19, 35]) == 54


def test_digits_are_packed_in_pairs() -> None:
    assert barcode.symbols("123456")[:-2] == [barcode.START_C, 12, 34, 56]
    assert barcode.symbols("AB1234")[:-2] == [barcode.START_B, 33, 34, barcode.TO_C, 12, 34]
    assert barcode.symbols("12345")[:-2] == [barcode.START_B, 17, barcode.TO_C, 23, 45]
    assert barcode.TO_C not in barcode.symbols("A12B")


@pytest.mark.parametrize("text", ["", "x" * 41, "ΑΒΓ", "tab\there"])
def test_refuses_what_it_cannot_hold(text: str) -> None:
    with pytest.raises(ValueError, match="barcode"):
        barcode.symbols(text)


def decode(runs: list[int]) -> str:
    """Text of a scanned line, from its dark and light run lengths in pixels: what a hand scanner does."""
    module = sum(runs) / (11 * ((len(runs) - 7) // 6) + 13)
    values = []
    for at in range(0, len(runs) - 7, 6):
        values.append(barcode.WIDTHS.index("".join(str(round(run / module)) for run in runs[at : at + 6])))
    assert "".join(str(round(run / module)) for run in runs[-7:]) == "2331112"
    *data, check = values
    assert (data[0] + sum(at * value for at, value in enumerate(data[1:], 1))) % 103 == check
    code_set, text = ("C" if data[0] == 105 else "B"), ""
    for value in data[1:]:
        if code_set == "C" and value < 100:
            text += f"{value:02d}"
        elif value in (99, 100):
            code_set = "C" if value == 99 else "B"
        else:
            text += chr(value + 32)
    return text


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm (poppler-utils) is not installed")
@pytest.mark.parametrize("number", ["00340434161094042557", "1Z999AA10123456784", "RR123456785DE", "ab-9~ X", "Z" * 40])
def test_a_printed_note_scans_back_to_its_number(number: str, tmp_path: Path) -> None:
    from shipments.functions.render_pdf.documents import render_document

    pdf = tmp_path / "note.pdf"
    pdf.write_bytes(render_document("delivery_note", {"tracking_number": number}).content)
    command = ["pdftoppm", "-r", "600", "-gray", "-l", "1", "-y", "450", "-H", "1", "-x", "0", "-W", "4960", str(pdf)]
    done = subprocess.run(command, check=True, capture_output=True, timeout=30)  # noqa: S603  # our own arguments
    image = Image.open(io.BytesIO(done.stdout))
    runs = [(dark, len(list(group))) for dark, group in groupby(pixel < 128 for pixel in image.tobytes())]
    assert not runs[0][0] and not runs[-1][0]
    bars = [length for _, length in runs[1:-1]]
    assert runs[-1][1] >= 10 * min(bars), "the quiet zone on the right is too narrow"
    assert decode(bars) == number
