"""Keyset pages: a page starts after the last row seen, so page 1,000 costs what page 1 costs. No counting.

Ties are broken by the primary key, which is added when the order lacks it. Nullable columns sort last. Where all columns
of the order run the same way and are never empty, the start is one SQL row value, `(created, id) < (…)`, which an index
in that order answers at once; otherwise it is spelled out.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import BooleanField, Expression, F, Field, Func, Model, Q, QuerySet, Value
from django.db.models.expressions import Col
from django.db.models.lookups import IsNull
from django.db.models.sql.where import AND
from django.http import HttpRequest

M = TypeVar("M", bound=Model)
PAGE_SIZE = 50


class BadCursorError(ValueError):
    """The cursor was not made by us, or for another order."""


@dataclass(frozen=True, slots=True)
class Key:
    """One column of the order."""

    path: str
    descending: bool
    nullable: bool
    field: Field[Any, Any] | None

    def ordering(self, *, reverse: bool) -> Any:
        expression = F(self.path)
        nulls = {} if not self.nullable else ({"nulls_first": True} if reverse else {"nulls_last": True})
        return expression.desc(**nulls) if self.descending != reverse else expression.asc(**nulls)

    def value(self, row: Model) -> Any:
        value: Any = row
        for part in self.path.split("__"):
            value = getattr(value, part) if value is not None else None
        return value

    def beyond(self, value: Any, *, reverse: bool) -> Q:
        """Rows strictly after `value` in the direction of travel."""
        if value is None:
            return Q(**{f"{self.path}__isnull": False}) if reverse else Q(pk__in=[])
        past = Q(**{f"{self.path}__{'lt' if self.descending != reverse else 'gt'}": value})
        return past | Q(**{f"{self.path}__isnull": True}) if self.nullable and not reverse else past

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.path}__isnull": True}) if value is None else Q(**{self.path: value})


def keys_of(queryset: QuerySet[M], order: Sequence[str]) -> list[Key]:
    names = list(order)
    primary = queryset.model._meta.pk.name
    if not {name.lstrip("-") for name in names} & {"pk", primary}:
        names.append(f"-{primary}" if names and names[0].startswith("-") else primary)
    filled = _never_empty(queryset)
    return [_filled(key) if key.path in filled else key for key in (key_of(queryset.model, name) for name in names)]


def _never_empty(queryset: QuerySet[M]) -> set[str]:
    """Nullable columns of its own that a filter (`delivered__isnull=False`) keeps from being empty."""
    conditions = queryset.query.where
    if conditions.connector != AND or conditions.negated:
        return set()
    return {
        condition.lhs.target.name
        for condition in conditions.children
        if isinstance(condition, IsNull) and condition.rhs is False and isinstance(condition.lhs, Col)
    }


def _filled(key: Key) -> Key:
    return replace(key, nullable=False)


def key_of(model: type[Model], name: str) -> Key:
    path = name.removeprefix("-")
    owner: Any = model
    field: Any = None
    nullable = False
    for part in path.split("__"):
        try:
            field = owner._meta.pk if part == "pk" else owner._meta.get_field(part)
        except FieldDoesNotExist:
            return Key(path, name.startswith("-"), nullable=True, field=None)  # an annotation
        nullable = nullable or bool(getattr(field, "null", False))
        owner = getattr(field, "related_model", None) or owner
    return Key(path, name.startswith("-"), nullable, field)


def encode(direction: str, values: list[Any]) -> str:
    text = json.dumps([direction, *values], cls=_Exact, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class _Exact(DjangoJSONEncoder):
    """Keeps microseconds, which Django's encoder cuts to milliseconds: rows would be shown twice."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)


def decode(cursor: str, keys: list[Key]) -> tuple[bool, list[Any]]:
    """(backwards, values). Raises BadCursorError."""
    try:
        direction, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if direction not in {"n", "p"} or len(values) != len(keys) or any("\0" in str(value) for value in values):
            raise BadCursorError(cursor)
        return direction == "p", [
            key.field.to_python(value) if key.field is not None and value is not None else value
            for key, value in zip(keys, values, strict=True)
        ]
    except (ValueError, TypeError, KeyError, binascii.Error, ValidationError) as error:
        raise BadCursorError(cursor) from error


def uniform(keys: list[Key]) -> bool:
    """Whether a row value can say where a page starts: one direction, nothing empty, several columns."""
    plain = all(key.field is not None and not key.nullable for key in keys)
    return plain and len(keys) > 1 and len({key.descending for key in keys}) == 1


def compared(keys: list[Key], operator: str, values: list[Any]) -> Expression:
    """`(a, b) < (x, y)` as one condition; the keys are `uniform`."""
    columns = Func(*(F(key.path) for key in keys), template="(%(expressions)s)")
    bounds = Func(
        *(Value(value, output_field=key.field) for key, value in zip(keys, values, strict=True)),
        template="(%(expressions)s)",
    )
    template = "%(expressions)s"
    return Func(columns, bounds, template=template, arg_joiner=f" {operator} ", output_field=BooleanField())


def after(keys: list[Key], values: list[Any], *, reverse: bool) -> Q | Expression:
    """Rows strictly after `values` in the direction of travel."""
    if uniform(keys):
        return compared(keys, "<" if keys[0].descending != reverse else ">", values)
    return _spelled_out(keys, values, reverse=reverse)


def _spelled_out(keys: list[Key], values: list[Any], *, reverse: bool) -> Q:
    """`(a, b, c) > (x, y, z)` spelled out, with a leading bound that lets an index on `a` do the work."""
    condition = Q(pk__in=[])
    tied = Q()
    for key, value in zip(keys, values, strict=True):
        condition |= tied & key.beyond(value, reverse=reverse)
        tied &= key.same(value)
    first, start = keys[0], values[0]
    if first.nullable or start is None or len(keys) == 1:
        return condition
    bound = "lte" if first.descending != reverse else "gte"
    return Q(**{f"{first.path}__{bound}": start}) & condition


@dataclass(slots=True)
class KeysetPage(Generic[M]):
    """Rows of one page and how to reach its neighbours. Links keep every other parameter of the address."""

    rows: list[M]
    next_cursor: str = ""
    previous_cursor: str = ""
    next_link: str = ""
    previous_link: str = ""
    searched_to: Any = None
    """How far the search came (value of the order's first column) when it stopped before it had a full page."""

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def has_other_pages(self) -> bool:
        return bool(self.next_cursor or self.previous_cursor)

    @classmethod
    def of(
        cls,
        queryset: QuerySet[M],
        *,
        order: Sequence[str],
        request: HttpRequest,
        size: int = PAGE_SIZE,
        param: str = "cursor",
    ) -> KeysetPage[M]:
        """The page that `?cursor=` names; a cursor that makes no sense shows the first page."""
        try:
            page = keyset_page(queryset, order=order, cursor=request.GET.get(param, ""), size=size)
        except BadCursorError:
            page = keyset_page(queryset, order=order, size=size)
        return page.linked(request, param)

    def linked(self, request: HttpRequest, param: str = "cursor") -> KeysetPage[M]:
        """With links to its neighbours that keep every other parameter of the address."""
        self.next_link = _link(request, param, self.next_cursor)
        self.previous_link = _link(request, param, self.previous_cursor)
        return self


def keyset_page(
    queryset: QuerySet[M], *, order: Sequence[str], cursor: str = "", size: int = PAGE_SIZE
) -> KeysetPage[M]:
    """One page in `order` (as in `order_by`). One query of size + 1 rows.

    Raises:
        BadCursorError: the cursor is not one of ours.
    """
    keys = keys_of(queryset, order)
    backwards, values = decode(cursor, keys) if cursor else (False, [])
    if values:
        queryset = queryset.filter(after(keys, values, reverse=backwards))
    found = list(queryset.order_by(*(key.ordering(reverse=backwards) for key in keys))[: size + 1])
    more = len(found) > size
    rows = found[:size]
    if backwards:
        rows.reverse()
    page = KeysetPage(rows)
    if rows and (more or backwards):
        page.next_cursor = encode("n", [key.value(rows[-1]) for key in keys])
    if rows and ((more and backwards) or (values and not backwards)):
        page.previous_cursor = encode("p", [key.value(rows[0]) for key in keys])
    return page


def _link(request: HttpRequest, param: str, cursor: str) -> str:
    if not cursor:
        return ""
    query = request.GET.copy()
    query[param] = cursor
    return f"{request.path}?{query.urlencode()}"


def capped_count(queryset: QuerySet[M], cap: int = 10_000) -> tuple[int, bool]:
    """(n, more): counts at most `cap` rows; `more` says that there are others beyond."""
    counted = queryset.order_by()[: cap + 1].count()
    return min(counted, cap), counted > cap
