"""Many documents as one ZIP, streamed: one file is open at a time. What is in it, and what not and why, is in index.csv."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from typing import IO, cast

from django.utils.translation import gettext as _

from core.csv_stream import csv_blocks
from core.zip_stream import Names, ZipEntry
from shipments.choices import DocumentState
from shipments.documents.inspection import EXTENSIONS
from shipments.models import Document

MOST = 10_000
ROWS_AT_ONCE = 500
INDEX = "index.csv"
INDEX_HEADER = [
    "document",
    "delivery",
    "carrier",
    "type",
    "name",
    "version",
    "bytes",
    "sha256",
    "file",
    "left out because",
]
INDEX_IN_MEMORY = 1 << 20


def file_name(document: Document) -> str:
    """`1Z999-proof-of-delivery.pdf`: whose and what, with the ending of its content; its own name without a delivery."""
    suffix = EXTENSIONS.get(document.content_type) or PurePosixPath(document.name).suffix
    if document.shipment is None:
        return f"{PurePosixPath(document.name).stem}{suffix}"
    return f"{document.shipment.tracking_number}-{document.type.replace('_', '-')}{suffix}"


def archive_entries(ids: Sequence[int]) -> Iterator[ZipEntry]:
    """The files of these documents in this order, then `index.csv`. Quarantined and lost ones are named there only."""
    names = Names(INDEX)
    with tempfile.SpooledTemporaryFile(INDEX_IN_MEMORY) as index:
        index.writelines(csv_blocks(INDEX_HEADER, ()))
        for start in range(0, len(ids), ROWS_AT_ONCE):
            listed: list[list[object]] = []
            for document in _rows(ids[start : start + ROWS_AT_ONCE]):
                yield from _entry(document, names, listed)
            index.writelines(islice(csv_blocks((), listed), 1, None))
        index.seek(0)
        yield ZipEntry(INDEX, partial(_already_open, cast(IO[bytes], index)), compress=True)


def _rows(ids: Sequence[int]) -> list[Document]:
    """A query of its own for each portion: a slow download must not hold a cursor open for an hour."""
    rows = Document.objects.select_related("shipment", "carrier").in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows]


def _entry(document: Document, names: Names, listed: list[list[object]]) -> Iterator[ZipEntry]:
    if document.state != DocumentState.STORED:
        listed.append(_line(document, "", document.problem or str(document.get_state_display())))
        return
    try:
        with document.file.open("rb") as stream:
            name = names.give(file_name(document))
            yield ZipEntry(name, partial(_already_open, stream), document.bytes, document.created)
            listed.append(_line(document, name, ""))
    except FileNotFoundError:
        listed.append(_line(document, "", _("The file is not in the document store any more.")))


def _line(document: Document, file: str, problem: str) -> list[object]:
    number = document.shipment.tracking_number if document.shipment else ""
    return [
        document.pk, number, document.carrier.code if document.carrier else "", document.type, document.name,
        document.version, document.bytes, document.sha256, file, problem,
    ]  # fmt: skip


def _already_open(stream: IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    """Opened, and closed, by the one who found out that the file is there."""
    return nullcontext(stream)
