"""The home page at volume: what its panels cost the database, what counting costs, and the lists behind its numbers."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from bench.pages import browser_of
from bench.results import Result, at_most
from shipments.listing.asked import Asked
from shipments.models import HomePart
from shipments.rollups import refresh

PANELS = ("late", "silent", "to-sort-out", "exceptions", "today")
SQL_LIMIT_MS, LIST_LIMIT_MS, COUNT_LIMIT_MS = 20.0, 150.0, 10_000.0
ROUNDS = 9
_LINK = re.compile(r'href="(/deliveries/\?[^"]+)"')


def counted(size: int) -> dict[str, float]:
    """Milliseconds of a first count, of all the past, and of the next one, at this size."""
    HomePart.objects.all().delete()
    figures = {}
    for run in ("first", "next"):
        began = time.perf_counter()
        outcomes = refresh(timezone.now())
        figures[f"{run}_ms_{size}"] = (time.perf_counter() - began) * 1000
        if any(outcome.said != "counted" for outcome in outcomes):
            raise AssertionError(outcomes)
    return figures


def at_home(actor: User, size: int, counting: dict[str, float]) -> Iterator[Result]:
    """`counting`: what `counted` said at each size."""
    worst = max(ms for name, ms in counting.items() if name.endswith(f"_{size}"))
    yield at_most("counting for the home page, of 10 s", worst / COUNT_LIMIT_MS, 1, n=size, **counting)
    client = browser_of(actor)
    sql = {panel: sql_ms(client, f"/deliveries/home/{panel}/") for panel in PANELS}
    whole = sum(sql.values())
    figures = {panel.replace("-", "_") + "_ms": ms for panel, ms in sql.items()}
    yield at_most("SQL of all panels of deliveries, of 20 ms", whole / SQL_LIMIT_MS, 1, n=size, ms=whole, **figures)
    yield _lists(client, size)


def _lists(client: Client, size: int) -> Result:
    """Every list that a number leads to shows its first page at once, however many rows are behind it."""
    queries = {
        unescape(address).partition("?")[2]
        for panel in PANELS
        for address in _LINK.findall(_plain(client, f"/deliveries/home/{panel}/"))
    }
    took = {query: _page_ms(query) for query in queries}
    slowest = max(took, key=lambda query: took[query])
    name = f"slowest list behind a number ({slowest}), of {LIST_LIMIT_MS:g} ms"
    return at_most(name, took[slowest] / LIST_LIMIT_MS, 1, n=size, ms=took[slowest], lists=len(took))


def _plain(client: Client, address: str) -> str:
    return client.get(address, headers={"accept-encoding": "identity"}).content.decode()


def _page_ms(query: str) -> float:
    """Rows and their count, as the page asks the database for them; the best of three."""
    times = []
    for _round in range(3):
        began = time.perf_counter()
        asked = Asked.of(QueryDict(query))
        page = asked.page()
        asked.count(page)
        times.append((time.perf_counter() - began) * 1000)
    return min(times)


def sql_ms(client: Client, address: str) -> float:
    """Milliseconds in the database for one answer, the frame's own queries included; a median."""
    sums = []
    for _round in range(ROUNDS):
        with stopwatch() as took:
            if client.get(address).status_code != 200:
                raise AssertionError(address)
        sums.append(sum(took))
    return statistics.median(sums)


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    took: list[float] = []

    def timed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            took.append((time.perf_counter() - began) * 1000)

    with connection.execute_wrapper(timed):
        yield took
