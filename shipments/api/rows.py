"""Rows of the list of deliveries as the API shows them, read and written directly: what `ShipmentSerializer` says, in a
tenth of its time (a test compares the two)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django.db.models import JSONField, QuerySet, TextField
from django.db.models.functions import Cast

from shipments.models import Shipment

_COLUMN_OF = {"carrier": "carrier__code"}
_DOCUMENTS = frozenset(field.name for field in Shipment._meta.fields if isinstance(field, JSONField))


def read(rows: QuerySet[Any, Any], fields: Sequence[str], *others: str) -> QuerySet[Any, Any]:
    """`rows` as tuples with names of these fields of the API, and `others` of the model that paging needs.

    What is JSON in the database is read as text: it goes into the answer as it is.
    """
    texts = {f"{name}_text": Cast(name, TextField()) for name in fields if name in _DOCUMENTS}
    names = [_source(name) for name in fields]
    found: QuerySet[Any, Any] = rows.annotate(**texts).values_list(*dict.fromkeys((*names, *others)), named=True)
    return found


def _source(name: str) -> str:
    return f"{name}_text" if name in _DOCUMENTS else _COLUMN_OF.get(name, name)


def written(rows: Iterable[Any], fields: Sequence[str]) -> list[dict[str, Any]]:
    """The same as dictionaries for the renderer."""
    documents = [name for name in fields if name in _DOCUMENTS]
    found = [dict(zip(fields, row, strict=False)) for row in rows]
    for row in found:
        for name in documents:
            row[name] = orjson.Fragment(row[name])
    return found
