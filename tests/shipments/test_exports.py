"""The list as CSV: the same rows, order and columns, streamed, harmless in a spreadsheet."""

import csv
import io
import tracemalloc
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.shipments.finding import deliveries

pytestmark = pytest.mark.django_db


def download(client: Any, query: str = "") -> list[list[str]]:
    answer = client.get(f"/deliveries/export.csv?{query}")
    assert answer.status_code == 200, answer.content
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_file_has_the_filtered_rows_of_all_pages_in_the_order_of_the_list(client_as: Any, viewer: User) -> None:
    deliveries(120, status="on_hold")
    deliveries(5, first=200)
    head, *rows = download(client_as(viewer), "status=on_hold&sort=created")
    assert head == ["tracking_number", "status", "carrier", "reference", "customer", "to", "created", "documents"]
    assert [row[0] for row in rows] == [f"ACME{n:05d}" for n in range(120)]
    assert rows[0][1:] == ["on_hold", "Acme", "", "Olmo", "Madrid ES", "2026-11-01T12:00:00.000+00:00", ""]


def test_file_has_the_chosen_columns_in_their_order(client_as: Any, viewer: User) -> None:
    deliveries(1, reason="customs")
    assert download(client_as(viewer), "columns=updated&columns=reason") == [
        ["tracking_number", "updated", "reason"], ["ACME00000", "2026-11-01T12:00:00.000+00:00", "customs"],
    ]  # fmt: skip


def test_formulas_are_made_harmless(client_as: Any, viewer: User) -> None:
    deliveries(1, tracking_number="=1+1", customer="@SUM(A1)", reference="+cmd|' /C calc'!A0", destination_country="")
    row = download(client_as(viewer))[1]
    assert (row[0], row[3], row[4]) == ("'=1+1", "'+cmd|' /C calc'!A0", "'@SUM(A1)")


def test_wrong_filters_give_no_file(client_as: Any, viewer: User) -> None:
    for query in ("status=nonsense", "sort=customer", "q=a"):
        answer = client_as(viewer).get(f"/deliveries/export.csv?{query}")
        assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain; charset=utf-8")


def test_strangers_get_no_file(client: Any) -> None:
    assert client.get("/deliveries/export.csv").status_code == 302


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_memory_does_not_grow_with_the_list(client_as: Any, viewer: User) -> None:
    deliveries(20_000)
    client = client_as(viewer)
    answer = client.get("/deliveries/export.csv")
    tracemalloc.start()
    rows = sum(block.count(b"\n") for block in answer.streaming_content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 20_001
    assert peak < 8_000_000
