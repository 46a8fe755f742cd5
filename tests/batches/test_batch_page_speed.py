"""The page of a batch reads the same few rows whatever the number of items. Counted, not timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from services_registry.batches import insight
from services_registry.models import Batch
from tests.batches.big import AGE, big_batch

ClientAs = Callable[[User], Client]
Budget = Callable[[int], AbstractContextManager[None]]
POLL = {"HX-Request": "true"}
TABLES = {"HX-Request": "true", "HX-Target": "batch-tables"}


def most_rows(plan: dict[str, Any]) -> float:
    """The largest number of rows that any step of a query touched, those it threw away included."""
    loops = plan.get("Actual Loops", 1)
    own = (plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0)) * loops
    return float(max([own, *(most_rows(part) for part in plan.get("Plans", []))]))


def touched(caught: CaptureQueriesContext) -> Iterator[tuple[float, str]]:
    with connection.cursor() as cursor:
        for query in caught.captured_queries:
            if query["sql"].startswith("SELECT"):
                cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query["sql"])
                yield most_rows(cursor.fetchone()[0][0]["Plan"]), query["sql"]


@pytest.mark.parametrize(
    ("chunks", "size"),
    [(30, 10), pytest.param(5_000, 10, marks=pytest.mark.slow), pytest.param(50_000, 1, marks=pytest.mark.slow)],
)
def test_page_poll_and_tables_read_the_same_few_rows_at_any_size(
    client_as: ClientAs, viewer: User, query_budget: Budget, chunks: int, size: int
) -> None:
    batch = big_batch(chunks=chunks, size=size)
    client, address = client_as(viewer), f"/batches/{batch.pk}/"
    client.get(address)
    for headers, most in (({}, 24), (POLL, 12), (TABLES, 14)):
        with query_budget(most):
            assert client.get(address, headers=headers).status_code == 200
    for headers in (POLL, TABLES):
        with CaptureQueriesContext(connection) as caught:
            client.get(address, headers=headers)
        for rows, sql in touched(caught):
            assert rows <= insight.QUEUED_COUNTED + 1, f"{rows:,.0f} rows: {sql[:300]}"
    the_counts_are_right(batch, chunks, size)
    assert client.get(f"/batches/{batch.pk}/durations/").status_code == 200


def the_counts_are_right(batch: Batch, chunks: int, size: int) -> None:
    now = batch.created + AGE
    census = insight.census_of(batch, now)
    waiting = max(0, chunks - chunks // 2 - 40)
    assert census.total == chunks
    assert (census.queued, census.more_queued) == (min(waiting, 10_000), waiting > 10_000)
    assert census.finished == (None if waiting > 10_000 else chunks // 2)
    pace = insight.pace_of(batch, now)
    assert pace is not None
    assert pace.per_second == pytest.approx(min(100 * size, batch.settled / 30), rel=0.25)


def test_a_batch_with_nothing_finished_has_no_pace_and_no_estimate(client_as: ClientAs, viewer: User) -> None:
    batch = Batch.objects.create(title="fresh", function_name="f", total=10)
    text = client_as(viewer).get(f"/batches/{batch.pk}/", headers=POLL).content.decode()
    assert "left, until" not in text and "items/s" not in text
