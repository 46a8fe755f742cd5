"""What goes to quarantine, and the plain reason for it."""

from __future__ import annotations

import io

import pytest

from shipments.documents import inspection
from shipments.documents.inspection import JPEG, PDF, PNG, TIFF, inspect
from tests.documents import made
from tests.shared_data import shared_path

GOOD = made.pdf("Delivery note 4711")


def problem_of(content: bytes, content_type: str = PDF, name: str = "a.pdf") -> str:
    return inspect(io.BytesIO(content), content_type, name).problem


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (GOOD[:-20], "truncated"),
        (GOOD[:200] + b"%%EOF", "cannot be read"),
        (made.encrypted(), "locked with a password"),
        (made.HTML, "not a PDF: the file does not start with %PDF-, it is a web page"),
        (made.PROGRAM, "it is a Windows program"),
        (made.archive(), "it is a ZIP archive"),
        (made.PROGRAM[:500] + GOOD, "it is a Windows program"),
        (made.with_script_on_opening(), "contains JavaScript"),
        (made.with_script_spelled_in_hexadecimal(), "contains JavaScript"),
        (made.that_starts_a_program(), "would start a program"),
        (made.with_a_file_inside(), "carries other files inside"),
    ],
    ids=[
        "empty", "truncated", "broken", "encrypted", "html", "program", "zip", "program and pdf", "script",
        "hidden script", "launch", "attachment",
    ],
)  # fmt: skip
def test_a_file_that_is_no_good_is_named_plainly(content: bytes, reason: str) -> None:
    assert reason in problem_of(content)


@pytest.mark.parametrize(
    ("content", "content_type", "name", "pages"),
    [
        (GOOD, PDF, "note.pdf", 1),
        (GOOD, PDF, "no ending", 1),
        (b"\r\n\r\n" + GOOD, PDF, "printer.pdf", 1),
        (made.protected_against_printing_only(), PDF, "a.pdf", 1),
        (made.picture(), PNG, "a.png", 1),
        (made.picture("JPEG"), JPEG, "A.JPG", 1),
        (made.picture("TIFF", frames=3), TIFF, "scan.tif", 3),
    ],
)
def test_a_good_file_is_taken_with_its_pages(content: bytes, content_type: str, name: str, pages: int) -> None:
    inspected = inspect(io.BytesIO(content), content_type, name)
    assert (inspected.problem, inspected.pages) == ("", pages)


def test_a_name_that_promises_something_else_is_told() -> None:
    assert problem_of(made.picture(), PNG, "label.pdf") == "the name promises a PDF, but it is a PNG picture"
    assert "not a PNG picture: it is a PDF" in problem_of(GOOD, PNG, "a")
    assert "unexpected kind of file: text/html; it is a web page" in problem_of(made.HTML, "text/html", "a.html")
    assert "cannot be read" in problem_of(made.picture()[:60], PNG, "a.png")


def test_a_file_beyond_all_measure_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "LARGEST", 1 << 20)
    assert problem_of(GOOD + b" " * (2 << 20)).startswith("too large: 2 MB, at most 1 MB")


def test_every_real_document_of_a_carrier_is_good_except_the_truncated_one() -> None:
    files = sorted(shared_path("documents/pdf").glob("*.pdf"))
    assert len(files) == 14
    bad = {file.name: reason for file in files if (reason := problem_of(file.read_bytes(), PDF, file.name))}
    assert list(bad) == ["dhl_express_broken_pdf_28d54bb7.pdf"]
    assert "truncated" in bad["dhl_express_broken_pdf_28d54bb7.pdf"]
