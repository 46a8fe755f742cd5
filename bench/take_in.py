"""Taking deliveries in: our upsert against Django's own, on the same rows of a table that is in use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from django.utils import timezone

from bench.results import Result, at_least
from shipments.deliveries.upsert import upsert
from shipments.models import Carrier, Shipment

CARRIER = "bench-take-in"
ROWS = 5_000
_NOW = datetime(2026, 11, 20, tzinfo=UTC)
_UPDATED = [
    "reference", "customer", "status", "reason", "sender", "recipient", "destination_country", "parcels", "notes",
    "created", "promised", "delivered", "updated",
]  # fmt: skip

Values = dict[str, Any]


def upserting(rounds: int) -> Iterator[Result]:
    """Every round: new rows, the same rows changed, and unchanged again; the two take turns at being first."""
    carrier, _new = Carrier.objects.get_or_create(code=CARRIER, defaults={"name": "Bench take-in"})
    ways: list[tuple[str, Callable[[list[Values]], None]]] = [
        ("ours", _ours),
        ("peer", lambda rows: _peer(carrier, rows)),
    ]
    rates: dict[tuple[str, str], list[float]] = {}
    for turn in range(rounds):
        for name, write in ways if turn % 2 else reversed(ways):
            start = (turn * 2 + (name == "ours")) * ROWS
            for kind, mark in (("new", "a"), ("changed", "b"), ("unchanged", "b")):
                rates.setdefault((kind, name), []).append(_rows_per_s(write, _rows(start, mark)))
    for kind in ("new", "changed"):
        ours, peer = rates[kind, "ours"], rates[kind, "peer"]
        name = f"upsert of {kind} rows, against bulk_create(update_conflicts)"
        yield at_least(name, _ratio(ours, peer), 2, n=ROWS, ours_rows_s=median(ours), peer_rows_s=median(peer))
    again, changed = rates["unchanged", "ours"], rates["changed", "ours"]
    figures = {"unchanged_rows_s": median(again), "changed_rows_s": median(changed)}
    yield at_least(
        "unchanged rows sent again, against our upsert of changed ones", _ratio(again, changed), 2, n=ROWS, **figures
    )


def pace(rounds: int = 5) -> float:
    """New rows a second into the table as it is, after one round that is not counted: the best of the rounds."""
    Carrier.objects.get_or_create(code=CARRIER, defaults={"name": "Bench take-in"})
    return max([_rows_per_s(_ours, _rows(turn * ROWS, "a")) for turn in range(rounds + 1)][1:])


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """The middle of the rounds' own ratios: what else the machine does in a round slows both."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))


def _rows(start: int, mark: str) -> list[Values]:
    """In no order of the index, as files are."""
    return [
        {
            "tracking_number": f"TI{number * 7_919 % 10**9:010d}ES", "reference": f"order-{number}",
            "customer": f"Customer {number % 500}", "status": "in_transit", "notes": mark,
            "sender": {"name": "Almacén Central", "city": "San Fernando", "country": "ES"},
            "recipient": {"name": "María Fernández", "street": f"Calle {number}", "city": "Madrid", "country": "ES"},
            "parcels": [{"number": "1", "weight_kg": "1.25", "description": "spare parts"}],
            "created": _NOW - timedelta(seconds=number), "promised": _NOW + timedelta(days=2),
        }
        for number in range(start, start + ROWS)
    ]  # fmt: skip


def _ours(rows: list[Values]) -> None:
    upsert([(CARRIER, row) for row in rows], {CARRIER: "Bench take-in"})


def _peer(carrier: Carrier, rows: list[Values]) -> None:
    now = timezone.now()
    deliveries = [
        Shipment(carrier=carrier, destination_country=row["recipient"]["country"], updated=now, **row) for row in rows
    ]
    Shipment.objects.bulk_create(
        deliveries, update_conflicts=True, unique_fields=["carrier", "tracking_number"], update_fields=_UPDATED
    )


def _rows_per_s(write: Callable[[list[Values]], None], rows: list[Values]) -> float:
    began = time.perf_counter()
    write(rows)
    return len(rows) / (time.perf_counter() - began)
