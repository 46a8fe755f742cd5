"""Documents: ten thousand as one ZIP in flat memory, and reading their texts, against what a plain loop does."""

from __future__ import annotations

import gc
import io
import resource
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from bench.results import Result, at_least, at_most
from core.zip_stream import zip_blocks
from shipments.documents import extraction
from shipments.documents.archive import archive_entries
from shipments.documents.reader import Reader
from shipments.documents.store import store_document
from shipments.models import Carrier, Document, DocumentText, Shipment

COUNT = 10_000
FILLING = 20_000
"""Bytes of each PDF beside its text: carriers' labels have some 20 kB."""
READ = 300


def storing_and_taking(rounds: int) -> Iterator[Result]:
    """Kept through the usual door, so they are inspected too; of one delivery, as most are."""
    ids = _keep(COUNT)
    yield from _zip(ids, rounds)
    yield from _reading(ids[:READ], rounds)


def _pdf(number: int) -> bytes:
    """Three pages that share their content of 60 lines: as much text as a waybill has."""
    lines = b"".join(b"(Line %d of document %d, signed by the recipient) Tj 0 -12 Td " % (n, number) for n in range(60))
    content = b"BT /F 9 Tf 20 780 Td " + lines + b"ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 3 0 R 3 0 R]/Count 3>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F <</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Length %d>>stream\n%s\nendstream" % (FILLING, bytes([number % 251]) * FILLING),
    ]
    target, places = io.BytesIO(b"%PDF-1.4\n"), []
    target.seek(0, io.SEEK_END)
    for place, body in enumerate(objects, 1):
        places.append(target.tell())
        target.write(b"%d 0 obj %s endobj\n" % (place, body))
    start = target.tell()
    target.write(b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places))
    target.write(b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start)
    return target.getvalue()


def _keep(count: int) -> list[int]:
    carrier, _new = Carrier.objects.get_or_create(code="bench-documents", defaults={"name": "Bench documents"})
    shipment = Shipment.objects.create(carrier=carrier, tracking_number="BD1")
    return [
        store_document(shipment=shipment, type="other", content=_pdf(number), name=f"{number}.pdf", source="uploaded")[
            0
        ].pk
        for number in range(count)
    ]


def _zip(ids: list[int], rounds: int) -> Iterator[Result]:
    paths = [Path(path) for path in _paths(ids)]
    size = sum(path.stat().st_size for path in paths)
    _stream(ids[:500])  # what is loaded once
    grown = _growth(ids)
    ours = [_seconds(lambda: _stream(ids))]
    yield at_most(
        "ZIP of 10,000 documents: growth of memory against its size", grown / size, 0.25, n=len(ids),
        grown_mb=grown / 1e6, zip_mb=size / 1e6,
    )  # fmt: skip
    theirs = []
    for _again in range(rounds):
        theirs.append(_seconds(lambda: _plain(paths)))
        ours.append(_seconds(lambda: _stream(ids)))
    yield at_most(
        "ZIP of 10,000 documents: time against a plain zipfile loop", median(ours) / median(theirs), 3, n=len(ids),
        ours_s=median(ours), plain_s=median(theirs),
    )  # fmt: skip


def _paths(ids: list[int]) -> list[str]:
    rows = Document.objects.in_bulk(ids)
    return [rows[pk].file.path for pk in ids]


def _stream(ids: list[int]) -> None:
    for _block in zip_blocks(archive_entries(ids)):
        pass


def _plain(paths: list[Path]) -> None:
    """Onto a disk, from known paths, with no rows of a database, no index and no care for names."""
    with tempfile.TemporaryFile() as target, zipfile.ZipFile(target, "w") as archive:
        for path in paths:
            archive.write(path, path.name)


def _reading(ids: list[int], rounds: int) -> Iterator[Result]:
    paths = _paths(ids)
    ours = [_seconds(lambda: _read(ids)) for _again in range(rounds)]
    bare = [_seconds(lambda: _bare(paths)) for _again in range(rounds)]
    yield at_least(
        "texts read, verified, indexed and drawn small, against bare pypdf reading", median(bare) / median(ours), 0.25,
        n=len(ids), ours_per_s=len(ids) / median(ours), pypdf_per_s=len(ids) / median(bare),
    )  # fmt: skip
    only = [_seconds(lambda: _only_text(paths)) for _again in range(rounds)]
    yield at_least(
        "texts alone by the process that reads files, against bare pypdf", median(bare) / median(only), 2, n=len(ids),
        ours_per_s=len(ids) / median(only), pypdf_per_s=len(ids) / median(bare),
    )  # fmt: skip


def _read(ids: list[int]) -> None:
    """Everything the worker does for a document, the start of the process included."""
    DocumentText.objects.filter(document__in=ids).delete()
    extraction.read_again(ids)
    with Reader() as reader:
        for document in Document.objects.filter(pk__in=ids):
            extraction.read(document, reader)


def _only_text(paths: list[str]) -> None:
    with Reader() as reader:
        for path in paths:
            reader.ask("text", path=path, kind="application/pdf", most_pages=200, most_chars=100_000, seconds=8)


def _bare(paths: list[str]) -> None:
    from pypdf import PdfReader

    for path in paths:
        "".join(page.extract_text() for page in PdfReader(path).pages)


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _growth(ids: list[int]) -> int:
    """How much this process grows at most while it streams, in bytes; looked at every 50 files."""
    gc.collect()
    before = highest = _resident()
    for place, _block in enumerate(zip_blocks(archive_entries(ids))):
        if not place % 50:
            highest = max(highest, _resident())
    return highest - before


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
