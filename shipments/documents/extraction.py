"""Reading documents in the background: text, language, number of pages, small picture, and whose it is.

What waits is in the table (`extraction`), the broker carries only a wake-up call. A worker claims some at a time by a
conditional update; a claim that is five minutes old is another's to take, so a worker that dies loses nothing.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.db import DataError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from core.aws.errors import AwsError
from shipments.choices import DocumentState, Extraction, Thumbnail
from shipments.documents import matching
from shipments.documents.copies import ChangedError, LostError, local_copy, mark_bad
from shipments.documents.previews import thumbnail_of
from shipments.documents.reader import Reader, UnreadableError
from shipments.functions.classify_messages.language import UNDETERMINED, Languages
from shipments.functions.classify_messages.text import parts
from shipments.models import Document, DocumentText

AT_ONCE = 20
STALE = timedelta(minutes=5)
WORK_S = 60.0
MOST_PAGES, MOST_CHARS, MOST_SECONDS = 200, 100_000, 8.0
"""Of one document. After so many seconds the pages read so far are kept."""
FEWEST_DIGITS = 8
_GROUP = r"(?=[A-Z]*[0-9])[A-Z0-9]{1,8}"  # with a digit
_GROUPS = re.compile(rf"(?<![A-Za-z0-9]){_GROUP}(?: {_GROUP}){{1,7}}(?![A-Za-z0-9])")
_CHANGED = "the bytes in the document store are not the ones that were kept"
_LOST = "the file is not in the document store any more"
log = logging.getLogger(__name__)
_reading = threading.Lock()


def waiting() -> QuerySet[Document]:
    """Stored documents that nobody has read, or whose reader has not been heard of for long."""
    free = Q(reading_since__isnull=True) | Q(reading_since__lt=timezone.now() - STALE)
    return Document.objects.filter(free, extraction=Extraction.WAITING, state=DocumentState.STORED)


def work(seconds: float = WORK_S) -> bool:
    """Read what waits, for a while; True when there is more. In one process only one thread reads."""
    if not _reading.acquire(blocking=False):
        return False
    try:
        until = time.monotonic() + seconds
        with Reader() as reader:
            while claimed := claim(AT_ONCE):
                for document in claimed:
                    read(document, reader)
                if time.monotonic() > until:
                    return True
        return False
    finally:
        _reading.release()


@transaction.atomic
def claim(most: int) -> list[Document]:
    """Some of what waits, oldest first, for this worker alone."""
    rows = waiting().select_for_update(skip_locked=True, of=("self",)).order_by("pk")
    found = list(rows.select_related("carrier")[:most])
    Document.objects.filter(pk__in=[row.pk for row in found]).update(reading_since=timezone.now())
    return found


def read(document: Document, reader: Reader) -> None:
    """Read one document and write down what came of it. Whatever is wrong with the file is written down too."""
    try:
        with local_copy(document) as path:
            answer = _answer(document, path, reader)
            thumbnail = thumbnail_of(document, path, reader) if document.pages else Thumbnail.NONE
            found = matching.find(document, answer["text"], path, reader) if matching.is_sought(document) else None
    except UnreadableError as error:
        _finish(document, extraction=Extraction.FAILED, extraction_problem=str(error)[:300], thumbnail=Thumbnail.NONE)
    except (ChangedError, LostError) as error:
        problem = _CHANGED if isinstance(error, ChangedError) else _LOST
        mark_bad(document, problem)
        _finish(document, extraction=Extraction.FAILED, extraction_problem=problem)
    except (AwsError, OSError) as error:
        # The store is away: it stays claimed, and is tried again when the claim is old.
        log.warning("document not read document=%s error=%s", document.pk, error)
    else:
        _keep(document, answer)
        _finish(document, extraction=Extraction.DONE, extraction_problem="", thumbnail=thumbnail,
                pages=answer["pages"])  # fmt: skip
        if found is not None:
            matching.decide(document, found)


def _answer(document: Document, path: str, reader: Reader) -> dict[str, Any]:
    return reader.ask(
        "text", path=path, kind=document.content_type, most_pages=MOST_PAGES, most_chars=MOST_CHARS,
        seconds=MOST_SECONDS,
    )  # fmt: skip


def _finish(document: Document, **values: Any) -> None:
    for name, value in values.items():
        setattr(document, name, value)
    Document.objects.filter(pk=document.pk).update(reading_since=None, **values)


def _keep(document: Document, answer: dict[str, Any]) -> None:
    values = {"text": answer["text"], "cut": answer["cut"], "made": timezone.now()}
    values |= {"language": language_of(values["text"]), "numbers": numbers_of(values["text"])}
    try:
        with transaction.atomic():
            DocumentText.objects.update_or_create(document=document, defaults=values)
    except DataError:  # more different words than an index takes: PostgreSQL allows a megabyte of them
        values |= {"text": values["text"][: MOST_CHARS // 8], "cut": True}
        DocumentText.objects.update_or_create(document=document, defaults=values)


def language_of(text: str) -> str:
    """ISO 639-1 of the language, by its small words and letters; empty when there is too little to tell."""
    sample = text[:2_000]
    words = [word for part in parts(sample) for word in part.words]
    code, _sure = _languages().identify(sample, words, [])
    return "" if code == UNDETERMINED else code


def numbers_of(text: str) -> str:
    """Numbers that are printed in groups, put together, as people type them: `53 7453 4616` is 5374534616."""
    groups = {match.group().replace(" ", "") for match in _GROUPS.finditer(text)}
    return " ".join(sorted(joined for joined in groups if sum(map(str.isdigit, joined)) >= FEWEST_DIGITS))


@lru_cache(maxsize=1)
def _languages() -> Languages:
    return Languages()


def read_again(ids: Sequence[int] | None = None, *, failed_only: bool = False) -> int:
    """Put documents back to be read; how many. None: all stored ones."""
    rows = Document.objects.filter(state=DocumentState.STORED).exclude(extraction=Extraction.WAITING)
    rows = rows if ids is None else rows.filter(pk__in=ids)
    if failed_only:
        rows = rows.filter(extraction=Extraction.FAILED)
    return rows.update(extraction=Extraction.WAITING, extraction_problem="", reading_since=None)
