"""Rows meet what is known: only what differs is touched, and carriers' events have the last word on a status."""

from __future__ import annotations

import io
import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from shipments.deliveries.importer import ImportResult, import_shipments
from shipments.deliveries.upsert import upsert
from shipments.models import Shipment

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def take(rows: list[dict[str, Any]]) -> ImportResult:
    return import_shipments(io.BytesIO("\n".join(map(json.dumps, rows)).encode()))


ROW = {
    "carrier": "acme", "tracking_number": "A1", "customer": "Olmo", "recipient": {"name": "Olmo", "country": "ES"},
    "parcels": [{"number": "1", "weight_kg": "2.5", "description": "books"}], "promised": "2026-11-23T10:00:00Z",
}  # fmt: skip


def version() -> tuple[str, str]:
    """Which version of the row it is, and who locked it last."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid::text, xmax::text FROM shipments_shipment")
        found: tuple[str, str] = cursor.fetchone()
    return found


@pytest.mark.django_db
def test_an_unchanged_row_is_neither_written_nor_locked() -> None:
    take([ROW])
    before = version()
    assert take([ROW]).unchanged == 1
    assert version() == before
    assert take([ROW | {"customer": "Brume"}]).updated == 1
    assert version() != before


@pytest.mark.django_db
def test_only_what_a_row_states_is_changed() -> None:
    take([ROW])
    take([{"carrier": "acme", "tracking_number": "A1", "recipient": {"city": "Lyon", "country": "FR"}}])
    shipment = Shipment.objects.get()
    assert (shipment.customer, shipment.destination_country) == ("Olmo", "FR")
    assert shipment.recipient == {"name": "Olmo", "city": "Lyon", "country": "FR"}


@pytest.mark.django_db
def test_a_status_that_came_of_events_is_not_taken_back_by_a_file() -> None:
    take([ROW | {"status": "in_transit"}])
    Shipment.objects.update(status="delivered", reason="x", status_at=NOW)
    assert take([ROW | {"status": "in_transit"}]).unchanged == 1
    assert Shipment.objects.values_list("status", "reason").get() == ("delivered", "x")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_imports_of_the_same_rows_at_once_end_well() -> None:
    rows = [("acme", {"tracking_number": f"A{number}", "customer": "first"}) for number in range(2_000)]
    failures: list[BaseException] = []

    def write(order: int) -> None:
        try:
            for turn in range(5):
                batch = [(code, values | {"customer": f"{order}-{turn}"}) for code, values in rows[::order]]
                upsert(batch, {"acme": "Acme"})
        except BaseException as error:  # noqa: BLE001  # told to the test
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(order,)) for order in (1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert Shipment.objects.count() == 2_000
