"""Made-up deliveries in millions, for measuring: the same seed gives the same rows, always marked as sample data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from django.db import connection, transaction

from shipments.choices import Status
from shipments.models import Carrier, Shipment

APART = timedelta(seconds=4)
REBUILD_FROM = 50_000
"""From so many rows on it is quicker to build the indexes of an empty table afterwards."""
IN_SLICE = 250_000
STATUS_WEIGHTS = {
    Status.DELIVERED: 65.0, Status.IN_TRANSIT: 12.0, Status.OUT_FOR_DELIVERY: 5.0, Status.PICKED_UP: 4.0,
    Status.PENDING: 4.0, Status.READY_FOR_PICKUP: 3.0, Status.DELIVERY_DELAYED: 2.0, Status.DELIVERY_FAILED: 1.5,
    Status.RETURN_TO_SENDER: 1.2, Status.ON_HOLD: 1.0, Status.CANCELLED: 0.8, Status.UNKNOWN: 0.5,
}  # fmt: skip
SETTLED_AFTER_DAYS = 4
SETTLED_WEIGHTS = {
    Status.DELIVERED: 95.6, Status.RETURN_TO_SENDER: 1.6, Status.CANCELLED: 1.0, Status.IN_TRANSIT: 0.3,
    Status.DELIVERY_FAILED: 0.5, Status.DELIVERY_DELAYED: 0.3, Status.ON_HOLD: 0.3, Status.UNKNOWN: 0.4,
}  # fmt: skip
"""Of deliveries ordered longer ago: nearly all have come to an end."""
LATE, FAILED_FIRST = 0.04, 0.02
"""Shares that arrive after the promise, and that were tried in vain a day before they were delivered."""
REASONS = {
    Status.DELIVERY_FAILED: "consignee_not_home consignee_not_home consignee_not_home consignee_incorrect_address"
    " consignee_incorrect_address consignee_refused consignee_business_closed carrier_not_enough_time",
    Status.DELIVERY_DELAYED: "weather_delay weather_delay carrier_sorting_error carrier_delay carrier_vehicle_issue",
    Status.ON_HOLD: "customs_documentation customs_documentation customs_delay customs_duties_unpaid"
    " delivery_exception_hold",
    Status.RETURN_TO_SENDER: "returned returned returned consignee_refused",
    Status.UNKNOWN: "no_news",
}  # fmt: skip
COUNTRIES = {
    "ES": 34.0, "FR": 20.0, "DE": 14.0, "IT": 11.0, "PT": 8.0, "PL": 6.0, "NL": 3.0, "BE": 2.0, "AT": 1.0, "IE": 0.5,
    "DK": 0.3, "LU": 0.2,
}  # fmt: skip
CARRIER_WEIGHTS = {f"generated-{place:02d}": place**-0.9 for place in range(1, 81)}
FIRST_WORDS = (
    "Ferretería", "Atelier", "Werkhof", "Libreria", "Casa", "Sklep", "Taller", "Boulangerie", "Gärtnerei", "Officina",
    "Mercearia", "Hurtownia", "Óptica", "Papeterie", "Schreinerei", "Cantina", "Farmacia",
)  # fmt: skip
LAST_WORDS = (
    "Olmo", "Brume", "Lenz", "Quercia", "do Sal", "Jodła", "Marqués", "Violette", "Sonnenberg", "Tramonto", "Ribeiro",
    "Zielona", "Delgado", "Fontaine", "Kirchner", "Bianchi", "Almeida",
)  # fmt: skip
TOWNS = (
    "Madrid", "Valencia", "Lyon", "Bordeaux", "Hamburg", "Köln", "Bologna", "Torino", "Porto", "Kraków", "Utrecht", "Gent",
)  # fmt: skip
# The hash gives every number its own chance, the same in every run; the multiplier scatters consecutive numbers.
# Nothing happens after the end: what would, is drawn together between the order and the end.
_FILL = """
INSERT INTO shipments_shipment (carrier_id, tracking_number, reference, customer, status, reason, unmapped, status_at,
    last_event, sender, recipient, destination_country, parcels, notes, created, promised, delivered, updated, sample)
SELECT (%(carriers)s::bigint[])[1 + width_bucket(chance(n, 1), %(carrier_steps)s::float8[])],
    'G' || lpad((n * 2654435761 %% 10000000000)::text, 10, '0'), 'PO-' || 10000 + n, customer, status,
    CASE status {reasons} ELSE '' END, chance(n, 2) < 0.004, arrived, arrived,
    '{{"name": "Almacén Central", "city": "San Fernando", "country": "ES"}}',
    jsonb_build_object('name', customer, 'city', (%(towns)s::text[])[1 + n %% 12], 'country', country), country,
    '[]', '', ordered, ordered + interval '4 days', CASE WHEN status = 'delivered' THEN arrived END, arrived, true
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n,
    LATERAL (SELECT %(end)s::timestamptz - (%(newest)s - n) * %(apart)s::interval AS ordered,
        20 + n %% 70 + CASE WHEN chance(n, 7) < %(late)s THEN 90 + n %% 60 ELSE 0 END AS hours) AS a,
    LATERAL (SELECT ordered + CASE WHEN ordered + hours * interval '1 hour' <= %(end)s THEN hours * interval '1 hour'
            ELSE (%(end)s - ordered) * chance(n, 8) END AS arrived,
        CASE WHEN %(end)s - ordered < %(recent)s
            THEN (%(statuses)s::text[])[1 + width_bucket(chance(n, 3), %(status_steps)s::float8[])]
            ELSE (%(settled)s::text[])[1 + width_bucket(chance(n, 3), %(settled_steps)s::float8[])] END AS status,
        (%(countries)s::text[])[1 + width_bucket(chance(n, 4), %(country_steps)s::float8[])] AS country,
        (%(first_words)s::text[])[1 + (chance(n, 5) * 15.99)::int] || ' ' ||
            (%(last_words)s::text[])[1 + (chance(n, 6) * 15.99)::int] || ' ' || n %% 23 AS customer) AS b
"""
_REASON = "WHEN '{status}' THEN ('{{{listed}}}'::text[])[1 + floor(chance(n, 9) * {count})::int]"
# Attempts in vain are the only events: the home page counts them. Nearly all before a delivery at last.
_ATTEMPTS = """
INSERT INTO shipments_trackingevent (shipment_id, at, code, text, place, status, reason, unmapped, source, received)
SELECT id, attempt, 'NH', 'Nobody at home', '', 'delivery_failed', 'consignee_not_home', false, 'sample', attempt
FROM shipments_shipment, LATERAL (
    SELECT CASE status WHEN 'delivered' THEN greatest(created, delivered - interval '1 day') ELSE status_at END AS attempt
) AS a
WHERE id > %(newest)s AND (status = 'delivery_failed' OR (status = 'delivered' AND chance(id, 10) < %(failed_first)s))
"""
_CHANCE = """
CREATE FUNCTION pg_temp.chance(n bigint, part int) RETURNS float8 IMMUTABLE LANGUAGE sql
RETURN (hashint8extended(n, %s * 1000 + part) & 1048575) / 1048576.0
"""
_BESIDE = """
SELECT 'ALTER TABLE shipments_shipment DROP CONSTRAINT ' || quote_ident(conname),
    'ALTER TABLE shipments_shipment ADD CONSTRAINT ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE conrelid = 'shipments_shipment'::regclass AND contype IN ('f', 'u')
UNION ALL
SELECT 'DROP INDEX ' || indexrelid::regclass, pg_get_indexdef(indexrelid)
FROM pg_index WHERE indrelid = 'shipments_shipment'::regclass
    AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
"""


def generate(count: int, *, seed: int = 1, end: datetime | None = None) -> None:
    """Write `count` deliveries, 4 s apart, the newest at `end` (default: the start of 20 November 2026).

    A second call adds others. Statuses, carriers and countries are skewed as in real life: one carrier in eighty has a
    sixth of all, two of three recent deliveries are delivered and nearly all older ones, 4 % after their promise.
    PostgreSQL makes the rows itself, in slices.
    """
    first = Shipment.objects.filter(tracking_number__startswith="G", sample=True).count()
    last = Shipment.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        with _bare_table(cursor, count):
            _fill(cursor, first, count, seed, end or datetime(2026, 11, 20, tzinfo=UTC))
        cursor.execute(_own(_ATTEMPTS), {"newest": last, "failed_first": FAILED_FIRST})
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        # VACUUM marks the pages as visible to all, so that index-only scans need no look at the rows.
        vacuum = "ANALYZE" if connection.in_atomic_block else "VACUUM (ANALYZE)"
        cursor.execute(f"{vacuum} shipments_shipment, shipments_trackingevent")
        cursor.execute("RESET statement_timeout")


def _fill(cursor: Any, first: int, count: int, seed: int, end: datetime) -> None:
    cursor.execute("DROP FUNCTION IF EXISTS pg_temp.chance(bigint, int)")
    cursor.execute(_CHANCE, [seed])
    ids = _carriers()
    values = {
        "carriers": [ids[code] for code in CARRIER_WEIGHTS], "carrier_steps": _steps(CARRIER_WEIGHTS),
        "statuses": [status.value for status in STATUS_WEIGHTS], "status_steps": _steps(STATUS_WEIGHTS),
        "settled": [status.value for status in SETTLED_WEIGHTS], "settled_steps": _steps(SETTLED_WEIGHTS),
        "recent": timedelta(days=SETTLED_AFTER_DAYS), "late": LATE, "towns": list(TOWNS),
        "first_words": list(FIRST_WORDS), "last_words": list(LAST_WORDS),
        "countries": list(COUNTRIES), "country_steps": _steps(COUNTRIES), "end": end, "apart": APART, "newest": first + count - 1,
    }  # fmt: skip
    statement = _own(_FILL.format(reasons=" ".join(_reason(*pair) for pair in REASONS.items())))
    for start in range(first, first + count, IN_SLICE):
        slice_of = {"first": start, "last": min(start + IN_SLICE, first + count) - 1}
        cursor.execute(statement, values | slice_of)


def _own(statement: str) -> str:
    """With the function that exists for this connection only."""
    return statement.replace("chance(", "pg_temp.chance(")


def _reason(status: Status, listed: str) -> str:
    reasons = listed.split()
    return _REASON.format(status=status.value, listed=",".join(reasons), count=len(reasons))


def _carriers() -> dict[str, int]:
    rows = [Carrier(code=code, name=f"Generated carrier {code[-2:]}", sample=True) for code in CARRIER_WEIGHTS]
    Carrier.objects.bulk_create(rows, ignore_conflicts=True)
    return dict(Carrier.objects.filter(code__in=CARRIER_WEIGHTS).values_list("code", "pk"))


def _steps(weights: Mapping[Any, float]) -> list[float]:
    """Where, from 0 to 1, one choice ends and the next begins."""
    whole = sum(weights.values())
    return [end / whole for end in accumulate(weights.values())][:-1]


@contextmanager
def _bare_table(cursor: Any, count: int) -> Iterator[None]:
    """Indexes and constraints of an empty table are left out for a while and built again at the end."""
    if count < REBUILD_FROM or Shipment.objects.exists():
        yield
        return
    cursor.execute(_BESIDE)
    found = cursor.fetchall()
    for drop, _make in found:
        cursor.execute(drop)
    yield
    for _drop, make in found:
        cursor.execute(make)
