"""ZIP downloads: what comes out opens everywhere, and little of it is in memory at a time."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from core.zip_stream import LONGEST_NAME, Names, ZipEntry, safe_name, zip_blocks, zip_response

MOMENT = datetime(2026, 11, 23, 12, 34, 56, tzinfo=UTC)


def entry(name: str, content: bytes, *, compress: bool = False) -> ZipEntry:
    return ZipEntry(name, lambda: io.BytesIO(content), len(content), MOMENT, compress)


def opened(blocks: Iterator[bytes]) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(blocks)))


def test_files_come_out_as_they_went_in() -> None:
    files = {"a.pdf": b"%PDF-1" * 100_000, "empty.pdf": b"", "ü.txt": "größer".encode()}
    archive = opened(zip_blocks(entry(name, content) for name, content in files.items()))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == files
    about = archive.getinfo("a.pdf")
    assert about.compress_type == zipfile.ZIP_STORED
    assert about.date_time == (2026, 11, 23, 12, 34, 56)


def test_lists_are_packed_when_asked() -> None:
    archive = opened(zip_blocks([entry("index.csv", b"a,b\r\n" * 10_000, compress=True)]))
    assert archive.getinfo("index.csv").compress_size < 5_000
    assert len(archive.read("index.csv")) == 50_000


def test_an_archive_of_nothing_still_opens() -> None:
    assert opened(zip_blocks([])).namelist() == []


@pytest.mark.slow
def test_more_files_than_the_old_format_can_count() -> None:
    archive = opened(zip_blocks(entry(f"{number}.txt", b"") for number in range(65_600)))
    assert len(archive.namelist()) == 65_600


def test_large_files_pass_through_in_small_memory() -> None:
    class Zeros(io.BytesIO):
        left = 200 * 2**20

        def read(self, size: int | None = -1) -> bytes:
            given = min(size or 0, self.left)
            self.left -= given
            return bytes(given)

    tracemalloc.start()
    blocks = zip_blocks([ZipEntry("large.pdf", Zeros, 200 * 2**20)])
    size = sum(len(block) for block in blocks)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 200 * 2**20
    assert peak < 4 * 2**20


def test_one_file_is_open_at_a_time_and_each_is_closed() -> None:
    is_open, most = 0, 0

    @contextmanager
    def counted() -> Iterator[io.BytesIO]:
        nonlocal is_open, most
        is_open += 1
        most = max(most, is_open)
        yield io.BytesIO(b"x")
        is_open -= 1

    list(zip_blocks(ZipEntry(f"{number}.pdf", counted) for number in range(20)))
    assert (is_open, most) == (0, 1)


def test_a_file_that_breaks_while_it_is_read_breaks_the_archive_visibly() -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("disk gone")

    got = []
    with pytest.raises(OSError, match="disk gone"):
        for block in zip_blocks([entry("good.pdf", b"good"), ZipEntry("bad.pdf", Breaking)]):
            got.append(block)  # noqa: PERF402  # what had left before the error is wanted
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(got)))


def test_names_are_safe_on_every_system() -> None:
    wanted = ["../../etc/passwd", "a\\b:c*?.pdf", "NUL.pdf", "...", "", "x" * 300 + ".pdf", "line\nbreak.pdf"]
    given = [safe_name(name) for name in wanted]
    assert given[:5] == ["_.._etc_passwd", "a_b_c_.pdf", "_NUL.pdf", "file", "file"]
    assert len(given[5]) == LONGEST_NAME and given[5].endswith(".pdf")
    assert given[6] == "line_break.pdf"


def test_no_name_is_given_twice_even_where_case_does_not_count() -> None:
    names = Names("index.csv")
    given = [names.give(wanted) for wanted in ("a.pdf", "A.pdf", "a.pdf", "a-2.pdf", "INDEX.csv", "a.pdf")]
    assert given[0] == "a.pdf"
    assert len({name.casefold() for name in [*given, "index.csv"]}) == len(given) + 1


def test_ten_thousand_equal_names_are_told_apart_quickly() -> None:
    names = Names()
    assert len({names.give("delivery-note.pdf") for _ in range(10_000)}) == 10_000


def test_the_response_streams_and_is_not_packed_again() -> None:
    response = zip_response("notes.zip", [entry("a.pdf", b"a")])
    assert response.streaming
    assert response["Content-Encoding"] == "identity"
    assert 'filename="notes.zip"' in response["Content-Disposition"]
