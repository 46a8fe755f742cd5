"""Pictures of documents, drawn by workers and kept beside the originals under the name of the same content.

Only of stored documents: what is in quarantine is never drawn. Lost ones are made again; nothing depends on them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from celery import current_app
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from core.aws.errors import AwsError
from shipments.choices import DocumentState, Thumbnail
from shipments.documents.copies import ChangedError, LostError, local_copy
from shipments.documents.inspection import EXTENSIONS
from shipments.documents.reader import Reader, UnreadableError
from shipments.models import Document

LONGEST_THUMBNAIL, LONGEST_PAGE = 320, 1_400
MOST_PAGES = 10
"""Pages shown of one document; the file itself shows the rest."""
WITHIN_S = 10.0
ASKED_S = 30


def thumbnail_key(sha256: str) -> str:
    return f"derived/{sha256[:2]}/{sha256}/small.webp"


def page_key(sha256: str, page: int) -> str:
    return f"derived/{sha256[:2]}/{sha256}/page-{page}.webp"


def shown_pages(document: Document) -> int:
    """How many pages have a picture, once they are made."""
    if document.state != DocumentState.STORED or document.content_type not in EXTENSIONS:
        return 0
    return min(document.pages or 0, MOST_PAGES)


def thumbnail_of(document: Document, path: str, reader: Reader) -> str:
    """Draw the small picture unless it is there; the new value of `thumbnail`, which the caller writes."""
    key = thumbnail_key(document.sha256)
    if default_storage.exists(key):
        return Thumbnail.MADE
    try:
        _draw(document, path, reader, 0, LONGEST_THUMBNAIL, key)
    except UnreadableError:
        return Thumbnail.NONE
    return Thumbnail.MADE


def make_pages(document: Document) -> int:
    """Draw the pages that lack a picture; how many there are now. Safe to repeat."""
    count = shown_pages(document)
    missing = [page for page in range(1, count + 1) if not default_storage.exists(page_key(document.sha256, page))]
    if not missing:
        return count
    try:
        with local_copy(document) as path, Reader() as reader:
            for page in missing:
                _draw(document, path, reader, page - 1, LONGEST_PAGE, page_key(document.sha256, page))
    except (UnreadableError, ChangedError, LostError):
        cache.set(_failed_key(document), 1, 3_600)
    return count


def _draw(document: Document, path: str, reader: Reader, page: int, longest: int, key: str) -> None:
    with tempfile.NamedTemporaryFile(suffix=".webp") as target:
        reader.ask(
            "draw", within=WITHIN_S, path=path, kind=document.content_type, page=page, longest=longest,
            target=target.name,
        )  # fmt: skip
        _save(key, Path(target.name).read_bytes())


def _save(key: str, content: bytes) -> None:
    """The last writer wins: both have drawn the same."""
    default_storage.delete(key)
    default_storage.save(key, ContentFile(content, key))


def request_pages(document: Document) -> None:
    """Ask a worker for the pages; asked twice within half a minute is asked once."""
    if cache.add(f"documents.pages.{document.pk}", 1, ASKED_S):
        current_app.send_task("shipments.draw_document", [document.pk])


def ready_pages(document: Document) -> list[int]:
    """Numbers of the pages whose pictures are there."""
    return [
        page for page in range(1, shown_pages(document) + 1) if default_storage.exists(page_key(document.sha256, page))
    ]


def has_failed(document: Document) -> bool:
    return cache.get(_failed_key(document)) is not None


def _failed_key(document: Document) -> str:
    return f"documents.undrawn.{document.sha256}"


def forget(sha256: str) -> None:
    """Remove all pictures of this content."""
    keys: Iterable[str] = [thumbnail_key(sha256), *(page_key(sha256, page) for page in range(1, MOST_PAGES + 1))]
    for key in keys:
        try:
            default_storage.delete(key)
        except (OSError, AwsError):  # pictures that stay behind harm nobody
            return
