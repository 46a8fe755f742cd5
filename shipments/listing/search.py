"""The search box: texts inside tracking number, reference and customer, by the trigram index, and in documents' texts.

A text that few deliveries have (a number, most of a number) is looked up first, by itself: the list then narrows those
few by its other filters. A text that many have is a condition beside the others, and the list is walked in its order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet

from core.bounded import TookTooLongError, time_limit
from core.like import contains
from shipments.models import Shipment

SHORTEST = 3
"""Shorter texts cannot use the trigram index (measured: 950 ms on 8 million rows), so they are refused."""
FEW = 1_000
PATIENCE_MS = 50
"""For the look-up of few; some 10 ms at 8 million rows."""
_COLUMNS = ("tracking_number", "reference", "customer")


def search_shipments(queryset: QuerySet[Any], text: str, also: Sequence[int] = ()) -> QuerySet[Any]:
    """Rows that contain `text`; none for fewer than three characters.

    ILIKE is written out: Django's `icontains` compiles to UPPER(), which no index of ours serves.
    """
    text = text.strip().replace("\0", "")
    if not text:
        return queryset
    if len(text) < SHORTEST:
        return queryset.none()
    pattern, table = contains(text), Shipment._meta.db_table
    condition = " OR ".join(f'"{table}"."{column}" ILIKE %s' for column in _COLUMNS)
    values: list[Any] = [pattern] * len(_COLUMNS)
    if also:
        condition += f' OR "{table}"."id" = ANY(%s::bigint[])'
        values.append(_listed(also))
    return queryset.extra(where=[f"({condition})"], params=values)  # noqa: S610  # bound values


def narrowed(queryset: QuerySet[Any], text: str, also: Sequence[int] = ()) -> QuerySet[Any]:
    """The same as `search_shipments`, by ids when they are few. Asks the database at once.

    Args:
        also: ids of others that fit, because the text stands in their documents.
    """
    if not text.strip():
        return queryset
    hits = few_ids(text)
    if hits is not None:
        return with_ids(queryset, {*hits, *also})
    return search_shipments(queryset, text, also)


def with_ids(queryset: QuerySet[Any], ids: Iterable[int]) -> QuerySet[Any]:
    """Rows with these primary keys. One array as text instead of a parameter for each: 50,000 keys cost milliseconds."""
    where = f'"{queryset.model._meta.db_table}"."id" = ANY(%s::bigint[])'
    return queryset.extra(where=[where], params=[_listed(ids)])  # noqa: S610  # our own table's name; the keys are numbers


def _listed(ids: Iterable[int]) -> str:
    return f"{{{','.join(map(str, ids))}}}"


def few_ids(text: str) -> list[int] | None:
    """Ids of all rows with the text; None when they are many, or when finding that out takes too long."""
    found = search_shipments(Shipment.objects.order_by(), text).values_list("pk", flat=True)
    try:
        with time_limit(PATIENCE_MS):
            ids = list(found[: FEW + 1])
    except TookTooLongError:
        return None
    return ids if len(ids) <= FEW else None
