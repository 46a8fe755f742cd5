"""Lists for tools that keep a copy: `?updated_since=` gives what changed since, in the order of the changes.

`updated_since` is a moment, the first time, and afterwards the `next_since` of the last answer. A row that changes while
somebody pages moves to the end and comes again; none is missed. `next` is null when there is nothing more for now;
`next_since` is always there to come back with.

The order is (updated, id). A row's `updated` is set before its transaction commits: a slow one may commit a moment that
others have long passed. So nothing is shown from the *horizon* on: the start of the oldest transaction that has written
something and is still open, and in any case five seconds ago, for what lies between setting the moment and writing it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from core.api.pagination import CursorPages, page_size_of
from core.bounded import bounded_page
from core.pagination import BadCursorError, Key, decode, encode, keys_of

PARAMETER = "updated_since"
MARGIN_S = 5
ORDER = ("updated", "id")
_HORIZON = """
SELECT least(clock_timestamp() - make_interval(secs => %s), min(xact_start)) FROM pg_stat_activity
WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
"""
UPDATED_SINCE = OpenApiParameter(
    PARAMETER,
    str,
    description="A moment (ISO 8601, with its zone) or the `next_since` of the last answer: what changed since, in the order "
    "of changes. Not together with `sort` or `cursor`. Follow `next` until it is null, then come back with `next_since`.",
)


def horizon() -> datetime:
    """Before this moment nothing can change any more: whoever commits later has a later `updated`."""
    with connection.cursor() as cursor:
        cursor.execute(_HORIZON, [MARGIN_S])
        moment: datetime = cursor.fetchone()[0]
    return moment


class SyncMixin:
    """For view sets whose model has `updated` and an index on (updated, id); before the view set's class."""

    @extend_schema(parameters=[UPDATED_SINCE])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if PARAMETER in request.query_params:
            return changed_since(self, request)
        answer: Response = super().list(request, *args, **kwargs)  # type: ignore[misc]  # of the view set beside it
        return answer

    def found(self) -> QuerySet[Any]:
        """The rows that the filters match."""
        view: Any = self
        rows: QuerySet[Any] = view.filter_queryset(view.get_queryset())
        return rows

    def written(self, found: Iterable[Any]) -> Any:
        """Rows as the list answers them."""
        view: Any = self
        return view.get_serializer(found, many=True).data


class SyncCursorPages(CursorPages):
    """Says in the API's description that there may be a `next_since`."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described = super().get_paginated_response_schema(schema)
        token = {"type": "string", "description": f"With `{PARAMETER}`: what to come back with."}
        described["properties"]["next_since"] = token
        return described


def changed_since(view: Any, request: Request) -> Response:
    """One page of what changed, with the filters of the list; the view has `found` and `written`, as SyncMixin has."""
    keys = keys_of(view.queryset, ORDER)
    since = _since(request, keys)
    until = horizon()  # before the rows are read: what commits in between is later than it
    found = view.found().filter(updated__lt=until)

    def walk() -> QuerySet[Any]:
        rows: QuerySet[Any] = view.queryset.model.objects.filter(updated__lt=until)
        return rows

    page = bounded_page(found, walk=walk, order=ORDER, cursor=since, size=page_size_of(request))
    token = page.next_cursor or (since if decode(since, keys)[1] >= [until, 0] else _token(until))
    following = replace_query_param(request.build_absolute_uri(), PARAMETER, token) if page.next_cursor else None
    return Response({"results": view.written(page.rows), "next": following, "previous": None, "next_since": token})


def _since(request: Request, keys: list[Key]) -> str:
    """Where to begin, as a cursor. Raises ValidationError."""
    asked = request.query_params
    for other in ("sort", "cursor"):
        if asked.get(other):
            words = f"Not together with {PARAMETER}, which has an order and a cursor of its own."
            raise ValidationError({other: [ErrorDetail(words, "not_together")]})
    text = asked.get(PARAMETER, "").strip()
    try:
        moment = parse_datetime(text) or parse_datetime(text.replace(" ", "+"))  # a + in an address is a blank
    except ValueError:
        moment = None
    if moment is not None and moment.tzinfo is not None and moment.year > 1:
        return _token(moment)
    try:
        backwards, place = decode(text, keys)
        if backwards or None in place:
            raise BadCursorError(text)
    except BadCursorError as error:
        words = "A moment with its zone, like 2026-11-24T08:00:00Z, or the next_since of an answer."
        raise ValidationError({PARAMETER: [ErrorDetail(words, "bad_updated_since")]}) from error
    return text


def _token(moment: datetime) -> str:
    """Before all rows of that moment."""
    return encode("n", [moment.astimezone(UTC), 0])
