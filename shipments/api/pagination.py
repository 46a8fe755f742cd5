"""Pages of deliveries over REST: the orders and the bounded search of the page in the browser, and sparse fields."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from core.api.pagination import page_size_of
from core.api.sync import SyncCursorPages
from core.bounded import bounded_page
from core.pagination import BadCursorError
from shipments.filters import ShipmentFilter
from shipments.listing.order import DEFAULT, ORDERS, UnservedOrderError, asks_for_delivered, order_of, parts_of, walk_of
from shipments.models import Shipment


class ShipmentPages(SyncCursorPages):
    """Besides `cursor` and `page_size`: `sort`, one of the orders that an index serves, and `fields`.

    A page may have fewer rows than `page_size`, even none, and still a `next`: few rows match filters that no index
    serves together. Following `next` until it is null gives every row.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        self.request, asked = request, request.query_params
        sort = asked.get("sort") or DEFAULT
        try:
            order = order_of(sort, one_carrier=bool(asked.get("carrier")), delivered=asks_for_delivered(asked))
        except UnservedOrderError as error:
            raise ValidationError({"sort": [str(error)]}) from error

        def filters() -> ShipmentFilter:
            return ShipmentFilter(asked, queryset=Shipment.objects.all())

        def walk() -> QuerySet[Shipment]:
            return walk_of(filters(), sort)

        parts = parts_of(filters(), sort) if len(asked.getlist("status")) > 1 else ()
        size, cursor = page_size_of(request), asked.get("cursor", "")
        try:
            self.page = bounded_page(queryset, walk=walk, order=order, cursor=cursor, size=size, parts=parts)
        except BadCursorError as error:
            raise ValidationError({"cursor": ["Not a cursor of this list; start again without it."]}) from error
        return self.page.rows

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        sort = {"type": "string", "enum": list(ORDERS)}
        return [
            *super().get_schema_operation_parameters(view),
            {"name": "sort", "in": "query", "required": False, "schema": sort,
             "description": f"`{DEFAULT}` when left out. By tracking number only together with `carrier`, by delivery only "
             "beside a `delivered_…` filter."},
            {"name": "fields", "in": "query", "required": False, "schema": {"type": "string"},
             "description": "Names of the fields to answer with, separated by commas; all when it is not there."},
        ]  # fmt: skip
