"""Searching in the texts of documents, in a bounded time: by the GIN index first, and what many have by walking.

`document_query` is a function of our own in PostgreSQL (migration 0007): what people type, as web searches take it
(`"a phrase"`, `or`, `-without`), in every language at once, the last word as the beginning of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.safestring import SafeString, mark_safe

from core.bounded import TookTooLongError, time_limit
from shipments.models import Document

FEW = 1_000
FEW_DELIVERIES = 200
PATIENCE_MS = 60
PATIENCE_BESIDE_MS = 20
"""For the look-up beside another search, which must not wait for it."""
HEADLINE_CHARS = 20_000
_BEGIN, _END = "\ue000", "\ue001"  # private characters, which `child` takes out of every text
_LIKE = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})

_DELIVERIES = """
SELECT DISTINCT document.shipment_id FROM shipments_documenttext words
JOIN shipments_document document ON document.id = words.document_id
WHERE words.search @@ document_query(%s) AND document.shipment_id IS NOT NULL AND document.state = 'stored'
LIMIT %s
"""
_BY_TEXT = """
SELECT document_id, ts_rank(search, document_query(%s)) FROM shipments_documenttext
WHERE search @@ document_query(%s) LIMIT %s
"""
_BY_NAME = "SELECT id, 1.0 FROM shipments_document WHERE name ILIKE %s LIMIT %s"
_BY_DELIVERY = "SELECT id, 0.9 FROM shipments_document WHERE shipment_id = ANY(%s) LIMIT %s"
_FITS = """(EXISTS (SELECT 1 FROM shipments_documenttext words WHERE words.document_id = "shipments_document"."id"
AND words.search @@ document_query(%s)) OR "shipments_document"."name" ILIKE %s
OR "shipments_document"."shipment_id" = ANY(%s))"""
_HEADLINES = """
SELECT document_id, ts_headline(CASE language WHEN 'es' THEN 'spanish'::regconfig WHEN 'fr' THEN 'french'::regconfig
    WHEN 'en' THEN 'english'::regconfig WHEN 'de' THEN 'german'::regconfig WHEN 'it' THEN 'italian'::regconfig
    WHEN 'pt' THEN 'portuguese'::regconfig ELSE 'simple'::regconfig END,
    left(text, %s), document_query(%s), %s)
FROM shipments_documenttext WHERE document_id = ANY(%s)
"""


def deliveries_with_text(text: str) -> list[int] | None:
    """Ids of the deliveries whose documents contain `text`; None when they are many, or finding out takes too long."""
    return _ids(_DELIVERIES, [_clean(text), FEW_DELIVERIES + 1], FEW_DELIVERIES, PATIENCE_BESIDE_MS)


def _ids(sql: str, values: list[Any], most: int, patience_ms: int) -> list[int] | None:
    rows = _few(sql, values, most, patience_ms)
    return None if rows is None else [row[0] for row in rows]


def _few(sql: str, values: list[Any], most: int, patience_ms: int) -> list[tuple[Any, ...]] | None:
    try:
        with time_limit(patience_ms), connection.cursor() as cursor:
            cursor.execute(sql, values)
            rows = cursor.fetchall()
    except TookTooLongError:
        return None
    return rows if len(rows) <= most else None


def ranked_documents(text: str, deliveries: Sequence[int] = ()) -> dict[int, float] | None:
    """Documents by their text, name or delivery, with how well they fit; None when they are many."""
    words, found = _clean(text), dict[int, float]()
    asked: list[tuple[str, list[Any]]] = [
        (_BY_TEXT, [words, words, FEW + 1]),
        (_BY_NAME, [_contains(text), FEW + 1]),
    ]
    if deliveries:
        asked.append((_BY_DELIVERY, [list(deliveries), FEW + 1]))
    for sql, values in asked:
        rows = _few(sql, values, FEW, PATIENCE_MS)
        if rows is None:
            return None
        for pk, rank in rows:
            found[pk] = found.get(pk, 0.0) + float(rank)
    return found if len(found) <= FEW else None


def with_text(queryset: QuerySet[Any], text: str, deliveries: Sequence[int] = ()) -> QuerySet[Any]:
    """The same as a condition, for a list that is walked in its order."""
    values = [_clean(text), _contains(text), list(deliveries)]
    return queryset.extra(where=[_FITS], params=values)  # noqa: S610  # bound values


def snippets(ids: Iterable[int], text: str) -> dict[int, SafeString]:
    """For each document where the words stand, as HTML with `<mark>`; without those whose text does not have them."""
    options = f"StartSel={_BEGIN}, StopSel={_END}, MaxFragments=2, MaxWords=14, MinWords=5, FragmentDelimiter=' … '"
    with connection.cursor() as cursor:
        cursor.execute(_HEADLINES, [HEADLINE_CHARS, _clean(text), options, list(ids)])
        found = cursor.fetchall()
    return {pk: _marked(words) for pk, words in found if _BEGIN in words}


def _marked(words: str) -> SafeString:
    html = escape(" ".join(words.split())).replace(_BEGIN, "<mark>").replace(_END, "</mark>")
    return mark_safe(html)  # noqa: S308  # escaped; the marks are ours


def documents_found(text: str, limit: int) -> list[Document]:
    """A few for the search box of the platform, the best first."""
    ranks = ranked_documents(text) or {}
    best = sorted(ranks, key=lambda pk: -ranks[pk])[: limit * 3]
    rows = Document.objects.current().select_related("shipment").in_bulk(best)
    return [rows[pk] for pk in best if pk in rows][:limit]


def _clean(text: str) -> str:
    return text.replace("\0", "").strip()


def _contains(text: str) -> str:
    return f"%{_clean(text).translate(_LIKE)}%"
