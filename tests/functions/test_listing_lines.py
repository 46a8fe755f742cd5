"""Listings of servers of many kinds, line by line; whatever a line holds, reading it gives an entry or nothing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipments.functions.fetch_documents.connection import address_of, raw_of, refusal, shown
from shipments.functions.fetch_documents.lines import FILE, FOLDER, OTHER, Entry, from_facts, from_list
from shipments.functions.runtime.errors import ItemError

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "name", "size", "modified"),
    [
        # Unix: the usual one, an older year, no group, no link count, a group with a blank, extended rights
        ("-rw-r--r--   1 owner group     1803 Jul 10 10:18 pod 1.pdf", "pod 1.pdf", 1803, "2026-07-10T10:18:00"),
        ("-rw-r--r--   1 owner group     1803 Nov 02  2024 pod.pdf", "pod.pdf", 1803, "2024-11-02T00:00:00"),
        ("-rw-r--r--   1 owner     1803 Nov  2  2024 pod.pdf", "pod.pdf", 1803, "2024-11-02T00:00:00"),
        ("-rw-rw-r--+ owner group 7 Nov 24 08:59 a", "a", 7, "2026-11-24T08:59:00"),
        ("-rw-r--r-- 1 svc Domain Users 1803 Jul 10 10:18 pod.pdf", "pod.pdf", 1803, "2026-07-10T10:18:00"),
        # of last year, because that day of this year has not come; but a clock a few hours ahead is of today
        ("-rw-r--r-- 1 o g 5 Dec 31 23:59 old.pdf", "old.pdf", 5, "2025-12-31T23:59:00"),
        ("-rw-r--r-- 1 o g 5 Nov 24 20:00 ahead.pdf", "ahead.pdf", 5, "2026-11-24T20:00:00"),
        ("-rw-r--r-- 1 o g 5 Feb 29 12:00 leap.pdf", "leap.pdf", 5, "2024-02-29T12:00:00"),
        # names keep their blanks, and what looks like a date in them
        ("-rw-r--r-- 1 o g 5 Nov 24 08:00  two  blanks.pdf", " two  blanks.pdf", 5, "2026-11-24T08:00:00"),
        ("-rw-r--r-- 1 o g 5 Nov 24 08:00 12 Oct 10 2020 a.pdf", "12 Oct 10 2020 a.pdf", 5, "2026-11-24T08:00:00"),
        # other languages, day first, ISO with and without a zone
        ("-rw-r--r-- 1 o g 5 24 MÃ¤r 08:00 a.pdf", "a.pdf", 5, "2026-03-24T08:00:00"),
        ("-rw-r--r-- 1 o g 5 3. Mai 2025 a.pdf", "a.pdf", 5, "2025-05-03T00:00:00"),
        ("-rw-r--r-- 1 o g 5 f\xe9v 3 2025 a.pdf", "a.pdf", 5, "2025-02-03T00:00:00"),
        ("-rw-r--r-- 1 o g 5 2026-11-23 10:15 a.pdf", "a.pdf", 5, "2026-11-23T10:15:00"),
        ("-rw-r--r-- 1 o g 5 2026-11-23 10:15:01.123456789 +0100 a.pdf", "a.pdf", 5, "2026-11-23T09:15:01+00:00"),
        # Windows: two and four digits of the year, thousands apart, a 24 hour clock
        ("11-23-26  09:41AM                51200 pod.pdf", "pod.pdf", 51200, "2026-11-23T09:41:00"),
        ("11-23-2026  12:05AM               51,200 pod 1.pdf", "pod 1.pdf", 51200, "2026-11-23T00:05:00"),
        ("2026/11/23  21:41    7 pod.pdf", "pod.pdf", 7, "2026-11-23T21:41:00"),
    ],
)
def test_reads_files_of_unix_and_windows_servers(line: str, name: str, size: int, modified: str) -> None:
    assert from_list(line, NOW) == Entry(name, FILE, size, modified)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("drwxr-xr-x 2 o g 4096 Jul 10 10:18 old", FOLDER),
        ("11-23-26  09:41AM       <DIR>          old", FOLDER),
        ("lrwxrwxrwx 1 o g 4 Jul 10 10:18 old", OTHER),
        ("11-23-26  09:41AM       <JUNCTION>     old", OTHER),
    ],
)
def test_tells_folders_and_links_from_files(line: str, kind: str) -> None:
    entry = from_list(line, NOW)
    assert entry is not None and (entry.name, entry.kind, entry.size) == ("old", kind, None)


@pytest.mark.parametrize("line", ["total 12", "", "-rw-r--r-- 1 o g x Jul 10 10:18 a", "99-99-26  09:41AM 5 a", "??"])
def test_says_nothing_about_what_it_does_not_understand(line: str) -> None:
    assert from_list(line, NOW) is None


def test_reads_facts() -> None:
    found = from_facts("Type=file;Size=12;Modify=20261123101500.123; a b.pdf")
    assert found == Entry("a b.pdf", FILE, 12, "2026-11-23T10:15:00+00:00")
    assert from_facts("type=file;size=-1;modify=2026; x") == Entry("x", FILE, None, None)
    assert [from_facts(f"type={t};perm=el; x") for t in ("dir", "cdir", "OS.unix=slink")] == [
        Entry("x", FOLDER), Entry("x", OTHER), Entry("x", OTHER),
    ]  # fmt: skip
    assert from_facts("garbage") is None


_line = st.one_of(
    st.text(alphabet=st.characters(max_codepoint=255), max_size=300),
    st.from_regex(
        r"-rw-r--r--\s+\d \w+ \w+\s+\d{1,12} [A-Z][a-z]{2} \d{1,2} (\d\d:\d\d|\d{4}) .{1,40}", fullmatch=True
    ),
    st.from_regex(r"\d\d-\d\d-\d\d  \d\d:\d\d[AP]M +(<DIR>|\d{1,12}) .{1,40}", fullmatch=True),
)


@given(_line)
def test_no_line_is_too_odd(line: str) -> None:
    for entry in (from_facts(line), from_list(line, NOW)):
        if entry is not None:
            assert entry.name and entry.kind in (FILE, FOLDER, OTHER)
            assert entry.modified is None or datetime.fromisoformat(entry.modified).year > 0


@given(
    st.text(alphabet=st.characters(max_codepoint=255, exclude_categories=["Cc"]), min_size=1, max_size=60),
    st.integers(0, 10**12),
    st.datetimes(min_value=datetime(2022, 1, 1), max_value=datetime(2026, 11, 24)),  # noqa: DTZ001  # a server's clock
)
def test_what_a_unix_server_lists_comes_back(name: str, size: int, moment: datetime) -> None:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    line = f"-rw-r--r--   1 ftp      ftp      {size:>12} {moment:%b} {moment.day:>2}  {moment.year} {name}"
    assert from_list(line, NOW) == Entry(name, FILE, size, day.isoformat())
    windows = f"{moment:%m-%d-%y  %I:%M%p} {size:>20} {name}"
    assert from_list(windows, NOW) == Entry(name, FILE, size, moment.replace(second=0, microsecond=0).isoformat())


@given(st.binary(min_size=1, max_size=300))
def test_any_path_survives_as_an_address(raw: bytes) -> None:
    address = address_of(raw)
    assert address.isascii()
    if b".." in raw.split(b"/") or min(raw) < 32:
        with pytest.raises(ItemError):
            raw_of(address)
    else:
        assert raw_of(address) == raw


def test_shows_names_in_whatever_encoding_they_are() -> None:
    assert shown("größe €.pdf".encode()) == "größe €.pdf"
    assert shown("größe €.pdf".encode("cp1252")) == "größe €.pdf"
    assert shown("größe.pdf".encode("cp850"), "cp850") == "größe.pdf"
    assert shown(b"a\x1b[31m.pdf") == "a\ufffd[31m.pdf"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../x", "path"),
        ("a\\b", "path"),
        ("a\tb", "control"),
        ("x" * 300, "300 characters"),
        ("..", "no name"),
        ("ok.pdf", ""),
    ],
)
def test_says_why_a_name_is_refused(name: str, why: str) -> None:
    assert why in refusal(name) and bool(refusal(name)) is bool(why)
