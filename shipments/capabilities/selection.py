"""What a selection of rows means: `{"keys": [...]}`, or `{"query": {...}}` with the filters of the list.

A query with `board` means deliveries that lack a document (`shipments.completeness.work`). `up_to`, beside the query or
in it, is the largest id there was when "all that match" was chosen: rows that came in since are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from services_registry.capabilities import ItemRef, Selection, SelectionError
from shipments.completeness.work import BOARD, items_of
from shipments.filters import LIST_ONLY, filtered
from shipments.listing.search import with_ids

MOST_ITEMS = 50_000
LARGEST_ID = 2**63 - 1


def resolve_rows(
    selection: Selection,
    queryset: QuerySet[Any],
    filters: type[django_filters.FilterSet],
    label: str,
    noun: str,
) -> Iterator[ItemRef]:
    """Rows of a selection as items, in the order of `queryset`; at most 50,000.

    Raises:
        SelectionError: neither keys nor a query, an unusable key, a filter that is not valid, or too many rows.
    """
    query = selection.get("query")
    if "keys" not in selection and isinstance(query, dict) and BOARD in query:
        return items_of(query, noun)
    if "keys" in selection:
        queryset = with_ids(queryset, ids_of(selection["keys"]))
    elif "query" in selection:
        queryset = _matching(selection["query"], queryset, filters, selection.get("up_to"))
    else:
        raise SelectionError(_("Choose some %(noun)s first.") % {"noun": noun})
    rows = list(queryset.values_list("pk", label)[: MOST_ITEMS + 1])
    if len(rows) > MOST_ITEMS:
        raise SelectionError(
            _("More than %(most)s %(noun)s match. Narrow the filters.") % {"most": f"{MOST_ITEMS:,}", "noun": noun}
        )
    return (ItemRef(str(pk), str(text)[:120]) for pk, text in rows)


def ids_of(keys: Sequence[Any]) -> list[int]:
    """Primary keys; raises SelectionError for what is none."""
    found = []
    for key in keys if isinstance(keys, list | tuple) else [keys]:
        text = str(key)
        if not (text.isascii() and text.isdigit() and int(text[:20]) <= LARGEST_ID):
            raise SelectionError(_("“%(key)s” is not the number of a row.") % {"key": text[:40]})
        found.append(int(text))
    return found


def _matching(
    query: Any, queryset: QuerySet[Any], filters: type[django_filters.FilterSet], up_to: Any
) -> QuerySet[Any]:
    if isinstance(query, str):
        parsed = QueryDict(query)
        query = {name: parsed.getlist(name) for name in parsed}
    if not isinstance(query, dict):
        raise SelectionError(_('A query is a JSON object of filters, like {"status": "in_transit"}.'))
    known = {
        name: value for name, value in query.items() if name in filters.base_filters and value not in ("", [], [""])
    }
    unknown = sorted(set(query) - set(filters.base_filters) - LIST_ONLY - {"up_to"})
    if unknown:
        raise SelectionError(_("Unknown filter: %(names)s.") % {"names": ", ".join(unknown)})
    last = up_to if up_to is not None else query.get("up_to")
    if last is not None:
        queryset = queryset.filter(pk__lte=max(ids_of(last or [last])))
    try:
        return filtered(filters, queryset, known)
    except ValueError as error:
        raise SelectionError(_("A filter cannot be understood: %(names)s.") % {"names": error}) from error
