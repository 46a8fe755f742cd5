"""One page of the list of documents: by how well they fit what was searched for, else the newest first."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.safestring import SafeString

from core.bounded import Count, bounded_count, bounded_page
from core.pagination import BadCursorError, KeysetPage
from shipments.documents.text_search import snippets
from shipments.filters import LIST_ONLY, DocumentFilter
from shipments.models import Document

PAGE_SIZE = 50
ORDER = ("-created", "-id")


@dataclass(slots=True)
class ListedDocuments:
    """`ranked`: the best first. `snippets`: for each document where the words stand."""

    filters: DocumentFilter
    page: KeysetPage[Any] = field(default_factory=lambda: KeysetPage([]))
    count: Count = Count(0)
    ranked: bool = False
    snippets: dict[int, SafeString] = field(default_factory=dict)

    @classmethod
    def of(cls, data: QueryDict) -> ListedDocuments:
        """What an address asks for; nothing when it cannot be understood, never silently everything."""
        listed = cls(DocumentFilter(data, queryset=Document.objects.select_related("shipment", "carrier")))
        if not listed.filters.is_valid():
            return listed
        found, cursor = listed.filters.qs, data.get("cursor", "")
        ranks = listed.filters.ranks
        if ranks is not None:
            listed.ranked = True
            listed.page, listed.count = _best_first(found, ranks, cursor)
        else:
            listed.page = newest_first(found, listed.filters, cursor)
            listed.count = _count(found, listed.page)
        if words := listed.filters.form.cleaned_data.get("q"):
            listed.snippets = snippets([row.pk for row in listed.page.rows], words)
        return listed

    def selection(self) -> str:
        """ "All that match" as JSON: the filters, and the newest there is now; what comes later stays out."""
        newest = Document.objects.order_by("-id").values_list("id", flat=True).first() or 0
        data: Any = self.filters.data
        query: dict[str, Any] = {name: data.getlist(name) for name in data if name not in LIST_ONLY and data[name]}
        return json.dumps(query | {"up_to": newest}, ensure_ascii=False)


def _best_first(found: QuerySet[Document], ranks: dict[int, float], cursor: str) -> tuple[KeysetPage[Any], Count]:
    """At most a thousand, so all of their ids are put in order; the cursor is a place in it."""
    ids = sorted(found.order_by().values_list("pk", flat=True), key=lambda pk: (-ranks.get(pk, 0.0), -pk))
    start = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 6 else 0
    rows = found.in_bulk(ids[start : start + PAGE_SIZE])
    page: KeysetPage[Any] = KeysetPage([rows[pk] for pk in ids[start : start + PAGE_SIZE] if pk in rows])
    page.next_cursor = str(start + PAGE_SIZE) if start + PAGE_SIZE < len(ids) else ""
    page.previous_cursor = str(max(0, start - PAGE_SIZE)) if start else ""
    return page, Count(len(ids))


def newest_first(
    found: QuerySet[Document], filters: DocumentFilter, cursor: str, size: int = PAGE_SIZE
) -> KeysetPage[Any]:
    """In a bounded time, whatever is filtered by."""

    def walk() -> QuerySet[Document]:
        chosen = filters.form.cleaned_data.get("type")
        return Document.objects.filter(type=chosen) if chosen else Document.objects.all()

    try:
        return bounded_page(found, walk=walk, order=ORDER, cursor=cursor, size=size)
    except BadCursorError:
        return bounded_page(found, walk=walk, order=ORDER, size=size)


def _count(found: QuerySet[Document], page: KeysetPage[Any]) -> Count:
    if not page.has_other_pages:
        return Count(len(page.rows))
    if page.searched_to is not None:
        return Count(len(page.rows), more=True, known=False)
    return bounded_count(found)
