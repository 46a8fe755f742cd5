"""Which file names belong to a tracking number, and listings of servers of many kinds."""

import time

import pytest

from shipments.functions.fetch_documents.connection import RemoteFile, safe_name
from shipments.functions.fetch_documents.files import find_problem
from shipments.functions.fetch_documents.patterns import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "number", "name", "belongs"),
    [
        ("{tracking_number}*.pdf", "123", "123.pdf", True),
        ("{tracking_number}*.pdf", "123", "123_POD.PDF", True),
        ("{tracking_number}*.pdf", "123", "123POD.pdf", True),
        ("{tracking_number}*.pdf", "123", "1234.pdf", False),
        ("*{tracking_number}*", "123", "9123.pdf", False),
        ("*{tracking_number}*", "123", "9123_123.pdf", True),
        ("*{tracking_number}*", "RR12DE", "rr12de-2.tif", True),
        ("*{tracking_number}*", "RR12DE", "RR12DEX.tif", False),
        ("{tracking_number}????.pdf", "123", "1232026.pdf", True),
        ("POD_{tracking_number}.pdf", "1.3", "POD_1x3.pdf", False),
        ("POD_{tracking_number}.pdf", "1.3", "POD_1.3.pdf", True),
        ("{tracking_number}.pdf", "123", "123.pdf.tmp", False),
        ("{tracking_number}_{document_type}*", "123", "123_pod_1.pdf", True),
        ("{tracking_number}_{other}*", "123", "123_{other}1.pdf", True),
    ],
)
def test_matching(pattern: str, number: str, name: str, belongs: bool) -> None:
    assert (compile_pattern(pattern, number, "pod").match(name) is not None) is belongs


def test_no_pattern_can_take_for_ever() -> None:
    started = time.perf_counter()
    compile_pattern("*a*a*a*a*a*a*a*a*{tracking_number}*b", "9").match("a" * 255)
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", "a\nb", "a\x00"])
def test_names_that_lead_elsewhere_are_not_files(name: str) -> None:
    assert not safe_name(name)


@pytest.mark.parametrize(
    ("size", "content", "word"),
    [
        (10, b"%PDF-%%EOF", None),
        (99, b"%PDF-%%EOF", "listing says 99"),
        (None, b"%PDF-", "end marker"),
        (0, b"", "empty"),
    ],
)
def test_tells_a_cut_off_file(size: int | None, content: bytes, word: str | None) -> None:
    problem = find_problem(RemoteFile("a.pdf", "/a.pdf", size), content, "application/pdf")
    assert (
        problem is None if word is None else problem is not None and problem.startswith("truncated") and word in problem
    )
