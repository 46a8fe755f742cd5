"""What an address asks of the list of deliveries, read once for everything that works on the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.http import QueryDict
from django.utils import timezone

from core.bounded import Count, bounded_page, remembered_count
from core.pagination import BadCursorError, KeysetPage, encode, keys_of
from shipments.completeness.panel import Tally, tallies_of
from shipments.filters import LIST_ONLY, ShipmentFilter
from shipments.listing.columns import Column, Words, columns_of, fields_of
from shipments.listing.order import DEFAULT, UnservedOrderError, asks_for_delivered, order_of, parts_of, walk_of
from shipments.models import Shipment

PAGE_SIZE = 50
AT_ONCE = 2_000
ALWAYS = ("id", "sample")
"""Read for every row, whatever columns are shown."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Filters, order and columns of one address; `problem` says what cannot be done, then there are no rows."""

    filters: ShipmentFilter
    sort: str
    order: tuple[str, ...]
    columns: list[Column]
    address: str
    problem: str

    @classmethod
    def of(cls, data: QueryDict, remembered: Sequence[str] = ()) -> Asked:
        """`remembered`: the person's own columns, for an address that names none."""
        filters = ShipmentFilter(data, queryset=Shipment.objects.all())
        sort, problem, order = data.get("sort") or DEFAULT, "", order_of(DEFAULT, one_carrier=False)
        try:
            order = order_of(sort, one_carrier=bool(data.get("carrier")), delivered=asks_for_delivered(data))
        except UnservedOrderError as error:
            problem = str(error)
        rest = data.copy()
        rest.pop("cursor", None)
        columns = columns_of(data.getlist("columns") or remembered)
        return cls(filters, sort, order, columns, rest.urlencode(), problem)

    @property
    def valid(self) -> bool:
        return not self.problem and bool(self.filters.is_valid())

    def found(self) -> QuerySet[Any, Any]:
        """Every row that is asked for, in no order; none when the address cannot be understood, never silently all."""
        rows: QuerySet[Any, Any] = self.filters.qs.order_by() if self.valid else Shipment.objects.none()
        return rows

    def rows(self) -> QuerySet[Any, Any]:
        """The same as tuples with names: what the columns, the order and the links need, and nothing else."""
        wanted = fields_of(self.columns, *ALWAYS, *(name.lstrip("-") for name in self.order))
        found = self.found()
        if "city" in wanted:
            found = found.annotate(city=KT("recipient__city"))
        return found.values_list(*wanted, named=True)

    def page(self, cursor: str = "", size: int = PAGE_SIZE) -> KeysetPage[Any]:
        """One page; a cursor that makes no sense shows the first."""
        if not self.valid:
            return KeysetPage([])
        rows, parts = self.rows(), parts_of(self.filters, self.sort)
        try:
            return bounded_page(rows, walk=self._walk, order=self.order, cursor=cursor, size=size, parts=parts)
        except BadCursorError:
            return bounded_page(rows, walk=self._walk, order=self.order, size=size, parts=parts)

    def _walk(self) -> QuerySet[Shipment]:
        return walk_of(self.filters, self.sort)

    def count(self, page: KeysetPage[Any]) -> Count:
        """How many there are, as far as that is cheap; a list of one page was counted by showing it."""
        if not page.has_other_pages:
            return Count(len(page.rows))
        if page.searched_to is not None:
            return Count(len(page.rows), more=True, known=False)
        return remembered_count(self.found(), (timezone.get_current_timezone_name(), *self._narrowed_by()))

    def _narrowed_by(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The filters of the address with their values."""
        for name, values in sorted(QueryDict(self.address).lists()):
            if name not in LIST_ONLY and values[-1:] not in ([], [""]):
                yield name, tuple(map(str, values))

    def neighbours(self, shipment: Shipment) -> tuple[int | None, int | None]:
        """Ids of the rows before and after a delivery in this list."""
        if not self.valid:
            return None, None
        values = [getattr(shipment, name.lstrip("-")) for name in self.order]
        only_ids = self.found().only(*(name.lstrip("-") for name in self.order))
        parts = parts_of(self.filters, self.sort)
        before, after = (
            bounded_page(
                only_ids, walk=self._walk, order=self.order, cursor=encode(way, values), size=1, parts=parts
            ).rows
            for way in "pn"
        )
        return (before[0].pk if before else None), (after[0].pk if after else None)

    def exported(self, words: Words) -> Iterator[list[Any]]:
        """Every row for a file, read by a cursor of the database: memory does not grow with the list.

        The transaction keeps that cursor alive, so the file shows the list as it was when the download began.
        """
        ordered = self.rows().order_by(*(key.ordering(reverse=False) for key in keys_of(self.found(), self.order)))
        with transaction.atomic():
            rows = ordered.iterator(chunk_size=AT_ONCE)
            while some := list(islice(rows, AT_ONCE)):
                words.documents.update(self.tallies([row.id for row in some]))
                for row in some:
                    yield [column.value(row, words) for column in self.columns]
                words.documents.clear()

    def tallies(self, shipment_ids: Sequence[int]) -> dict[int, Tally]:
        """How many of their documents these deliveries have; nothing where that is not shown."""
        return tallies_of(shipment_ids) if any(column.name == "documents" for column in self.columns) else {}

    def selection(self) -> str:
        """ "All that match" as JSON, for the batch engine: the filters, and the newest row there is now.

        Rows that are imported between choosing and starting have larger ids, so they stay out.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(id) FROM shipments_shipment")
            newest = cursor.fetchone()[0]
        query: dict[str, Any] = {name: list(values) for name, values in self._narrowed_by()}
        return json.dumps(query | {"up_to": newest or 0}, ensure_ascii=False)
