"""Pages of the API: `{"results": […], "next": url or null, "previous": url or null}`, by keyset, never counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Model, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from core.pagination import BadCursorError, KeysetPage, keyset_page

if TYPE_CHECKING:  # views import the default pagination: a cycle at run time
    from rest_framework.views import APIView

MAX_PAGE_SIZE = 500


class CursorPages(BasePagination):
    """`page_size` (1 to 500) and `cursor`; the order is the view's `ordering`, else the query's, else the model's."""

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        self.request = request
        try:
            self.page: KeysetPage[Any] = keyset_page(
                queryset,
                order=_ordering(queryset, view),
                cursor=request.query_params.get("cursor", ""),
                size=page_size_of(request),
            )
        except BadCursorError as error:
            raise ValidationError({"cursor": ["Not a cursor of this list; start again without it."]}) from error
        return self.page.rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "results": data,
                "next": self._link(self.page.next_cursor),
                "previous": self._link(self.page.previous_cursor),
            }
        )

    def _link(self, cursor: str) -> str | None:
        if not cursor:
            return None
        return str(replace_query_param(self.request.build_absolute_uri(), "cursor", cursor))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE}
        return [
            {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string"}},
            {"name": "page_size", "in": "query", "required": False, "schema": size},
        ]


def page_size_of(request: Request) -> int:
    """`?page_size=`, or the usual size. Raises ValidationError for what is no size."""
    asked = request.query_params.get("page_size")
    if asked is None:
        size: Any = settings.REST_FRAMEWORK["PAGE_SIZE"]
        return int(size)
    if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked[:9]) <= MAX_PAGE_SIZE:
        raise ValidationError({"page_size": [f"A whole number from 1 to {MAX_PAGE_SIZE}."]})
    return int(asked)


def _ordering(queryset: QuerySet[Any], view: APIView | None) -> Sequence[str]:
    named = getattr(view, "ordering", None)
    if isinstance(named, str):
        return [named]
    if named:
        return list(named)
    model: type[Model] = queryset.model
    asked = [name for name in queryset.query.order_by if isinstance(name, str)]
    return asked or [name for name in (model._meta.ordering or []) if isinstance(name, str)] or ["-pk"]
