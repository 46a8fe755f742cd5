"""From a path to the tracking numbers it may be of: exactly those whose own pattern takes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipments.functions.fetch_documents.patterns import PathPattern, candidates, compile_pattern, takes
from shipments.functions.runtime.errors import ItemError


@pytest.mark.parametrize(
    ("pattern", "name", "first"),
    [
        ("{tracking_number}.pdf", "SP123.pdf", "SP123"),
        ("{tracking_number}*.pdf", "SP123_POD.pdf", "SP123_POD"),
        ("POD_{tracking_number}_????????.pdf", "POD_SP123_20261124.PDF", "SP123"),
        ("{tracking_number}.pdf", "SP123.tmp", None),
        ("*_{tracking_number}.pdf", "a_b_77.pdf", "b_77"),
    ],
)
def test_offers_the_longest_first(pattern: str, name: str, first: str | None) -> None:
    assert next(iter(candidates(pattern, name)), None) == first


def test_the_real_number_is_among_those_offered() -> None:
    assert {"SP123", "SP123_POD"} <= set(candidates("{tracking_number}*.pdf", "SP123_POD.pdf"))
    assert "SP12" not in candidates("{tracking_number}*.pdf", "SP123_POD.pdf"), "a digit follows it"


_pattern = st.lists(st.sampled_from(["*", "?", "_", "a", "1", "POD", "{document_type}"]), max_size=4).map("".join)


@pytest.mark.slow
@given(_pattern, _pattern, st.text(alphabet="aA1_-", min_size=1, max_size=12))
def test_agrees_with_the_pattern_of_each_number(before: str, after: str, name: str) -> None:
    pattern = f"{before}{{tracking_number}}{after}"
    every = {name[i:j] for i in range(len(name)) for j in range(i + 1, len(name) + 1)}
    taken = {number for number in every if compile_pattern(pattern, number, "pod").match(name)}
    assert {number for number in every if takes(pattern, number, name, "pod")} == taken
    assert {number.lower() for number in candidates(pattern, name, "pod")} == {number.lower() for number in taken}


def test_directories_may_hold_wildcards_and_the_number() -> None:
    pattern = PathPattern("/out/*/{tracking_number}", "signed*.pdf")
    assert (pattern.base, pattern.wild) == ("/out", ["*", "{tracking_number}"])
    assert pattern.candidates("/out/2026-11/SP1", "signed_1.pdf") == ["SP1"]
    assert pattern.candidates("/out/2026-11/SP1", "label.pdf") == []
    assert pattern.takes_folder("{tracking_number}", "SP1", "SP1")
    assert not pattern.takes_folder("{tracking_number}", "SP2", "SP1")
    assert PathPattern("/pod", "{tracking_number}.pdf").base == "/pod"


def test_a_number_in_both_must_be_the_same() -> None:
    pattern = PathPattern("/{tracking_number}", "{tracking_number}.pdf")
    assert pattern.candidates("/SP1", "SP1.pdf") == ["SP1"]
    assert pattern.candidates("/SP1", "SP2.pdf") == []


def test_without_the_number_anywhere_it_is_refused() -> None:
    with pytest.raises(ItemError, match="tracking_number"):
        PathPattern("/out/*", "*.pdf")
