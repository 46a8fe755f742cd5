"""From chosen rows to work: one kind of work for each way a document is got, each a selection for the batch engine.

A selection of rows travels as `{"query": {"board": {filters of the board}, "up_to": the newest row's id}}`, so that its
meaning is looked up again when the batch starts: rows that came, were waived, or are being got meanwhile are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Count, Exists, OuterRef, QuerySet
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from services_registry.capabilities import ItemRef, SelectionError
from services_registry.choices import ItemState
from services_registry.models import BatchItem
from shipments.choices import DocumentType, ExpectedState, Obtain
from shipments.completeness.filters import ExpectedFilter
from shipments.completeness.kinds import CAPABILITIES, work_of
from shipments.filters import filtered
from shipments.models import ExpectedDocument

BOARD = "board"
STARTABLE = (ExpectedState.WAITING, ExpectedState.OVERDUE, ExpectedState.FAILED)
MOST_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of one type that are got in one way. `capability` is empty where only a person can get them."""

    obtain: str
    document_type: str
    rows: int
    capability: str
    selection: dict[str, Any]
    context: dict[str, Any]

    @property
    def title(self) -> str:
        type_words = DocumentType(self.document_type).label
        words = {Obtain.FETCH: _("Fetch: %(what)s"), Obtain.MAKE: _("Make: %(what)s")}
        pattern = words.get(Obtain(self.obtain), _("Ask a person: %(what)s")) if self.capability else _(
            "A person has to get it: %(what)s"
        )  # fmt: skip
        return pattern % {"what": type_words}


def rows_of(asked: Mapping[str, Any], up_to: int | None = None) -> QuerySet[ExpectedDocument]:
    """What a filter of the board means now.

    Raises:
        SelectionError: a filter is not known or cannot be understood.
    """
    if unknown := sorted(set(asked) - set(ExpectedFilter.base_filters)):
        raise SelectionError(_("Unknown filter: %(names)s.") % {"names": ", ".join(unknown)})
    known = {name: value for name, value in asked.items() if value not in ("", [], [""])}
    try:
        rows = filtered(ExpectedFilter, ExpectedDocument.objects.all(), known)
    except ValueError as error:
        raise SelectionError(_("A filter cannot be understood: %(names)s.") % {"names": error}) from error
    return rows if up_to is None else rows.filter(pk__lte=up_to)


def kinds_of(asked: Mapping[str, Any], up_to: int | None = None) -> list[Kind]:
    """The kinds of work in a selection, what can be started first. Rows that are being got are not in it.

    Raises:
        SelectionError: see `rows_of`; or more than 50,000 rows match.
    """
    rows = startable(rows_of(asked, up_to))
    if rows.order_by()[: MOST_ROWS + 1].count() > MOST_ROWS:
        raise SelectionError(_("More than %(most)s documents match. Narrow the filters.") % {"most": f"{MOST_ROWS:,}"})
    grouped = rows.values("obtain", "document_type").order_by().annotate(rows=Count("pk"))
    kinds = [_kind(asked, up_to, **group) for group in grouped]
    return sorted(kinds, key=lambda kind: (not kind.capability, -kind.rows, kind.document_type))


def _kind(asked: Mapping[str, Any], up_to: int | None, obtain: str, document_type: str, rows: int) -> Kind:
    capability, context = work_of(obtain, document_type) or ("", {})
    query: dict[str, Any] = {BOARD: {**asked, "type": document_type, "obtain": obtain}}
    if up_to is not None:
        query["up_to"] = up_to
    return Kind(obtain, document_type, rows, capability, {"query": query}, context)


def startable(rows: QuerySet[ExpectedDocument]) -> QuerySet[ExpectedDocument]:
    """Those that no batch is working on at this moment, judged by the batches themselves."""
    key = Cast(OuterRef("shipment_id"), CharField())
    pending = BatchItem.objects.filter(key=key, state=ItemState.PENDING, batch__capability__in=CAPABILITIES)
    return rows.filter(state__in=STARTABLE).exclude(Exists(pending))


def items_of(query: Mapping[str, Any], capability_noun: str) -> Iterator[ItemRef]:
    """The deliveries of a selection of board rows, most overdue first; for the capabilities.

    Raises:
        SelectionError: see `rows_of`; or more than 50,000 match.
    """
    asked = query[BOARD]
    if not isinstance(asked, dict):
        raise SelectionError(_("The board's filters must be a JSON object."))
    up_to = str(query.get("up_to") or "")
    rows = startable(rows_of(asked, int(up_to) if up_to.isdecimal() else None)).order_by("due", "id")
    found = list(rows.values_list("shipment_id", "shipment__tracking_number")[: MOST_ROWS + 1])
    if len(found) > MOST_ROWS:
        words = {"most": f"{MOST_ROWS:,}", "noun": capability_noun}
        raise SelectionError(_("More than %(most)s %(noun)s match. Narrow the filters.") % words)
    return (ItemRef(str(pk), number) for pk, number in found)
