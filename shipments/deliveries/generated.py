"""Made-up deliveries in millions, for measuring: the same seed gives the same rows, always marked as sample data."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from django.db import connection, transaction

from shipments.choices import Status
from shipments.models import Carrier, Shipment

APART_S, IN_BLOCK = 4, 10_000
REBUILD_FROM = 50_000
"""From so many rows on it is quicker to build the indexes of an empty table afterwards."""
CARRIERS = 80
STATUS_WEIGHTS = {
    Status.DELIVERED: 65.0, Status.IN_TRANSIT: 12.0, Status.OUT_FOR_DELIVERY: 5.0, Status.PICKED_UP: 4.0,
    Status.PENDING: 4.0, Status.READY_FOR_PICKUP: 3.0, Status.DELIVERY_DELAYED: 2.0, Status.DELIVERY_FAILED: 1.5,
    Status.RETURN_TO_SENDER: 1.2, Status.ON_HOLD: 1.0, Status.CANCELLED: 0.8, Status.UNKNOWN: 0.5,
}  # fmt: skip
COUNTRIES = {
    "ES": 34.0, "FR": 20.0, "DE": 14.0, "IT": 11.0, "PT": 8.0, "PL": 6.0, "NL": 3.0, "BE": 2.0, "AT": 1.0, "IE": 0.5,
    "DK": 0.3, "LU": 0.2,
}  # fmt: skip
UNMAPPED_SHARE, CUSTOMERS = 0.004, 5_000
COLUMNS = (
    "carrier_id", "tracking_number", "reference", "customer", "status", "reason", "unmapped", "status_at", "last_event",
    "sender", "recipient", "destination_country", "parcels", "notes", "created", "promised", "delivered", "updated",
    "sample",
)  # fmt: skip
_SENDER = json.dumps({"name": "Almacén Central", "city": "San Fernando", "country": "ES"}, ensure_ascii=False)
_SCATTER, _NUMBERS = 2_654_435_761, 10**10  # without common factors: consecutive rows get unlike, distinct numbers


def generate(count: int, *, seed: int = 1, end: datetime | None = None) -> None:
    """Write `count` deliveries, 4 s apart, the newest at `end` (default: the start of 20 November 2026).

    Numbers start above those generated before, so that a second call adds. Statuses, carriers and countries are skewed
    as in real life: one carrier in eighty has a tenth of all, two of three deliveries are delivered.
    """
    end = end or datetime(2026, 11, 20, tzinfo=UTC)
    carriers = _carriers()
    with transaction.atomic(), _without_indexes(count), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shipments_shipment WHERE tracking_number LIKE 'G%'")
        first = int(cursor.fetchone()[0])
        with cursor.copy(f"COPY shipments_shipment ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for block in _blocks(first, count, seed, end, carriers):
                copy.write(block)
    with connection.cursor() as cursor:
        # VACUUM marks the pages as visible to all, so that index-only scans need no look at the rows.
        cursor.execute(f"{'ANALYZE' if connection.in_atomic_block else 'VACUUM (ANALYZE)'} shipments_shipment")


def _carriers() -> list[int]:
    codes = [f"generated-{place:02d}" for place in range(1, CARRIERS + 1)]
    Carrier.objects.bulk_create(
        [Carrier(code=code, name=f"Generated carrier {code[-2:]}", sample=True) for code in codes],
        ignore_conflicts=True,
    )
    return list(Carrier.objects.filter(code__in=codes).order_by("code").values_list("pk", flat=True))


@contextmanager
def _without_indexes(count: int) -> Iterator[None]:
    """Drop the plain indexes of an empty table and build them again afterwards; constraints stay."""
    if count < REBUILD_FROM or Shipment.objects.exists():
        yield
        return
    names = tuple(index.name for index in Shipment._meta.indexes)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname = ANY(%s)",
            [Shipment._meta.db_table, list(names)],
        )
        found = cursor.fetchall()
        for name, _definition in found:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        for _name, definition in found:
            cursor.execute(definition)


def _blocks(first: int, count: int, seed: int, end: datetime, carriers: list[int]) -> Iterator[str]:
    chance = random.Random(f"{seed}:{first}")  # noqa: S311  # made-up data, nothing secret
    shares = list(accumulate(1 / (place + 1) ** 0.9 for place in range(len(carriers))))
    for start in range(0, count, IN_BLOCK):
        size = min(IN_BLOCK, count - start)
        chosen = zip(
            chance.choices(carriers, cum_weights=shares, k=size),
            chance.choices(list(STATUS_WEIGHTS), list(STATUS_WEIGHTS.values()), k=size),
            chance.choices(list(COUNTRIES), list(COUNTRIES.values()), k=size),
            chance.choices(range(CUSTOMERS), k=size),
            chance.choices((True, False), (UNMAPPED_SHARE, 1), k=size),
            strict=True,
        )
        moment = end - timedelta(seconds=APART_S * (count - 1 - start))
        yield "".join(
            _line(first + start + place, moment + timedelta(seconds=APART_S * place), *row)
            for place, row in enumerate(chosen)
        )


def _line(
    number: int, created: datetime, carrier: int, status: Status, country: str, customer: int, unmapped: bool
) -> str:
    """One row in COPY's text format; nothing in it needs escaping."""
    ordered, arrived = created.isoformat(), (created + timedelta(hours=20 + number % 70)).isoformat()
    delivered = arrived if status is Status.DELIVERED else "\\N"
    recipient = f'{{"name": "Customer {customer}", "city": "Town {customer % 700}", "country": "{country}"}}'
    return (
        f"{carrier}\tG{number * _SCATTER % _NUMBERS:010d}\tPO-{10_000 + number}\tCustomer {customer}\t{status.value}\t\t"
        f"{'t' if unmapped else 'f'}\t{arrived}\t{arrived}\t{_SENDER}\t{recipient}\t{country}\t[]\t\t{ordered}\t"
        f"{(created + timedelta(days=3)).isoformat()}\t{delivered}\t{arrived}\tt\n"
    )
