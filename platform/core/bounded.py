"""Lists over millions of rows that answer in a bounded time whatever people filter by.

Nearly always an index leads straight to the rows of a page. Where no index fits (two filters that each match much and
together nearly nothing), PostgreSQL would walk millions of rows. So a page has `PATIENCE_MS`; when that is over, the
list is searched a stretch at a time in its order, the page says how far the search came, and its next link goes on from
there. Counts are capped, and unknown when they take too long. Nothing is ever shown as complete that is not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from core.pagination import Key, KeysetPage, after, capped_count, compared, decode, encode, keys_of, keyset_page

PATIENCE_MS = 40
STRETCH_ROWS = 10_000
"""Rows looked at in one go of a search without a fitting index: some 10 ms."""
SEARCH_S = 0.1
"""How long a page goes on from stretch to stretch."""
REMEMBERED_S, _MOST_REMEMBERED = 60, 1_000
_QUERY_CANCELED = "57014"
_OTHER_WAYS = ("enable_bitmapscan", "enable_seqscan", "enable_sort", "enable_incremental_sort")


class TookTooLongError(Exception):
    """The database was told to give up, and did."""


@contextmanager
def time_limit(milliseconds: int) -> Iterator[None]:
    """No statement inside may take longer.

    Raises:
        TookTooLongError: one did. What was read before stays; there is nothing to undo.
    """
    try:
        with _limited_in_transaction(milliseconds) if connection.in_atomic_block else _limited_each(milliseconds):
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != _QUERY_CANCELED:
            raise
        raise TookTooLongError from error


@contextmanager
def _limited_in_transaction(milliseconds: int) -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {int(milliseconds)}")
        yield
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")


def _limited_each(milliseconds: int) -> AbstractContextManager[None]:
    """Every statement takes its limit along: one trip to the database instead of four.

    Statements sent together are one transaction, so the setting ends with them; the limit counts for each by itself.
    """
    before = f"SET LOCAL statement_timeout = {int(milliseconds)}; "

    def limited(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        found = execute(before + sql, params, many, context)
        context["cursor"].nextset()  # past the answer to SET
        return found

    return connection.execute_wrapper(limited)


@dataclass(frozen=True, slots=True)
class Count:
    """`n` rows and perhaps `more`; not `known`: counting took too long."""

    n: int
    more: bool = False
    known: bool = True


def bounded_count(found: QuerySet[Any], cap: int = 10_000) -> Count:
    """How many match, counted up to `cap`."""
    try:
        with time_limit(PATIENCE_MS):
            return Count(*capped_count(found, cap))
    except TookTooLongError:
        return Count(0, more=True, known=False)


def remembered_count(found: QuerySet[Any], key: Hashable) -> Count:
    """`bounded_count`, where "more than can be counted" is believed for a minute: people turn pages of long lists.

    New rows do not make it untrue. What was counted to the end is counted anew every time.

    Args:
        key: says the same of lists with the same rows.
    """
    now = time.monotonic()
    known = _many.get(key)
    if known and now < known[0]:
        return known[1]
    count = bounded_count(found)
    if count.more:
        if len(_many) >= _MOST_REMEMBERED:
            _many.clear()
        _many[key] = (now + REMEMBERED_S, count)
    return count


_many: dict[Hashable, tuple[float, Count]] = {}


def forget_counts() -> None:
    _many.clear()


def bounded_page(
    found: QuerySet[Any, Any],
    *,
    walk: Callable[[], QuerySet[Any]],
    order: Sequence[str],
    cursor: str = "",
    size: int,
    parts: Sequence[Q] = (),
) -> KeysetPage[Any]:
    """The page after `cursor`; see the module for what happens when no index leads to it.

    Args:
        walk: gives the same rows with only those filters that the index of this order serves. Its order is one that
            `core.pagination` compares by row value.
        parts: conditions of which every row meets one, when an index serves this order within each but not over all.

    Raises:
        BadCursorError: the cursor is not one of ours.
    """
    try:
        with time_limit(PATIENCE_MS):
            near = _nearest(found, parts, keys_of(found, order), cursor, size) if parts else found
            return keyset_page(near, order=order, cursor=cursor, size=size)
    except TookTooLongError:
        with _in_order_only():
            return _searched(found, walk(), keys_of(found, order), cursor, size)


def _nearest(
    found: QuerySet[Any, Any], parts: Sequence[Q], keys: list[Key], cursor: str, size: int
) -> QuerySet[Any, Any]:
    """The rows of which a page's are the first: as many of each part as the page may need, read in order by its index."""
    backwards, start = decode(cursor, keys) if cursor else (False, [])
    first, *others = (
        _ordered(found.filter(part), keys, start, backwards=backwards).values_list("pk", flat=True)[: size + 1]
        for part in parts
    )
    return found.filter(pk__in=list(first.union(*others, all=True)))


@contextmanager
def _in_order_only() -> Iterator[None]:
    """Inside, rows are read along the index of the order and in no other way.

    A stretch is small. Without this, the planner may first collect every row that contains a searched text, or that
    another index has, and sort them: that is what took too long.
    """
    inside = connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("".join(f"SET LOCAL {way} = off;" for way in _OTHER_WAYS))
        yield
        if inside:
            cursor.execute("".join(f"SET LOCAL {way} TO DEFAULT;" for way in _OTHER_WAYS))


def _searched(
    found: QuerySet[Any, Any], walk: QuerySet[Any, Any], keys: list[Key], cursor: str, size: int
) -> KeysetPage[Any]:
    backwards, start = decode(cursor, keys) if cursor else (False, [])
    rows: list[Any] = []
    edge: list[Any] | None = start or None
    deadline = time.monotonic() + SEARCH_S
    while True:
        begin, edge = edge, _edge(walk, keys, edge, backwards=backwards)
        rows += _stretch(found, keys, begin, edge, backwards=backwards)[: size + 1 - len(rows)]
        if len(rows) > size or edge is None or time.monotonic() > deadline:
            return _page(rows, keys, start, edge, size, backwards=backwards)


def _ordered(
    queryset: QuerySet[Any, Any], keys: list[Key], start: list[Any] | None, *, backwards: bool
) -> QuerySet[Any, Any]:
    if start:
        queryset = queryset.filter(after(keys, start, reverse=backwards))
    return queryset.order_by(*(key.ordering(reverse=backwards) for key in keys))


def _edge(walk: QuerySet[Any, Any], keys: list[Key], start: list[Any] | None, *, backwards: bool) -> list[Any] | None:
    """Where a stretch that begins after `start` ends; None at the end of the list. Read from the index alone."""
    names = [key.path for key in keys]
    ahead = _ordered(walk, keys, start, backwards=backwards).values_list(*names)
    found = list(ahead[STRETCH_ROWS - 1 : STRETCH_ROWS])
    return list(found[0]) if found else None


def _stretch(
    found: QuerySet[Any, Any], keys: list[Key], start: list[Any] | None, edge: list[Any] | None, *, backwards: bool
) -> QuerySet[Any, Any]:
    within = _ordered(found, keys, start, backwards=backwards)
    if edge is not None:
        within = within.filter(compared(keys, ">=" if keys[0].descending != backwards else "<=", edge))
    return within


def _page(
    rows: list[Any], keys: list[Key], start: list[Any], edge: list[Any] | None, size: int, *, backwards: bool
) -> KeysetPage[Any]:
    """`edge` is set when the search stopped there without reaching the end of the list."""
    more, shown = len(rows) > size, rows[:size]
    ahead = encode("p" if backwards else "n", [key.value(shown[-1]) for key in keys]) if more else ""
    if backwards:
        shown.reverse()
    page = KeysetPage(shown)
    if not more and edge is not None:
        ahead, page.searched_to = encode("p" if backwards else "n", edge), edge[0]
    behind = ""
    if start:
        last = shown[0 if not backwards else -1] if shown else None
        behind = encode("n" if backwards else "p", [key.value(last) for key in keys] if last is not None else start)
    page.next_cursor, page.previous_cursor = (behind, ahead) if backwards else (ahead, behind)
    return page
