"""A document's bytes as a file on this machine, with its checksum verified on the way."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from core.audit import record
from shipments.choices import DocumentState
from shipments.models import Document

PIECE = 1 << 20


class ChangedError(Exception):
    """The bytes in the store are not the ones that were kept."""


class LostError(Exception):
    """The bytes are not in the store."""


def verify(document: Document) -> None:
    """Read all of it.

    Raises:
        ChangedError: it has another SHA-256.
        LostError: it is not there.
    """
    with local_copy(document, keep=False):
        pass


@contextmanager
def local_copy(document: Document, *, keep: bool = True) -> Iterator[str]:
    """The path of a verified copy, gone afterwards.

    Raises:
        ChangedError: it has another SHA-256 than when it was kept.
        LostError: it is not there.
    """
    made = hashlib.sha256()
    with tempfile.NamedTemporaryFile(prefix="document-") as target:
        try:
            stream = document.file.open("rb")
        except FileNotFoundError as error:
            raise LostError(document.name) from error
        with stream:
            while piece := stream.read(PIECE):
                made.update(piece)
                if keep:
                    target.write(piece)
        if made.hexdigest() != document.sha256:
            raise ChangedError(document.name)
        target.flush()
        yield target.name


def mark_bad(document: Document, problem: str) -> None:
    """Into quarantine, because what lies in the store is no longer what was kept."""
    stored = Document.objects.filter(pk=document.pk, state=DocumentState.STORED)
    if stored.update(state=DocumentState.QUARANTINED, problem=problem):
        record(actor=None, verb="document.quarantined", target=document, source="system", summary=document.name,
               reason=problem)  # fmt: skip
