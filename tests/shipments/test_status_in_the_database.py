"""`derive` brings stored deliveries in line with their events, many at once."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shipments.capabilities.classify_messages import ClassifyMessages
from shipments.choices import Status
from shipments.models import AgeingRule, Carrier, CarrierMessage, Shipment, TrackingEvent, UnmappedCode
from shipments.status import derive, status_of
from shipments.status.ageing import age_shipments
from shipments.status.derive import Happening
from shipments.tasks import age_shipments as age_shipments_task

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def carrier(db: None) -> Carrier:
    return Carrier.objects.create(code="nord", name="Nord")


def make(carrier: Carrier, number: str = "N1", **values: Any) -> Shipment:
    values = {"updated": LONG_AGO, "created": START} | values
    return Shipment.objects.create(carrier=carrier, tracking_number=number, **values)


def event(shipment: Shipment, hour: float, status: str, code: str = "", **values: Any) -> TrackingEvent:
    at = START + timedelta(hours=hour)
    unmapped = not status
    fresh = TrackingEvent(shipment=shipment, at=at, received=at, status=status, code=code, unmapped=unmapped)
    for name, value in values.items():
        setattr(fresh, name, value)
    fresh.save()
    return fresh


def test_a_delivery_without_events_keeps_what_its_import_said(carrier: Carrier) -> None:
    shipment = make(carrier, status="on_hold", reason="customs_delay")
    assert derive([shipment.pk]) == 0
    shipment.refresh_from_db()
    assert (shipment.status, shipment.reason, shipment.updated) == ("on_hold", "customs_delay", LONG_AGO)


def test_a_second_run_changes_nothing_and_does_not_touch_updated(carrier: Carrier) -> None:
    shipment = make(carrier)
    event(shipment, 1, "picked_up")
    assert derive([shipment.pk, shipment.pk]) == 1
    shipment.refresh_from_db()
    assert (shipment.status, shipment.status_at, shipment.last_event) == ("picked_up", START + timedelta(hours=1)) + (
        START + timedelta(hours=1),
    )
    updated = shipment.updated
    assert updated > LONG_AGO
    assert derive([shipment.pk]) == 0
    shipment.refresh_from_db()
    assert shipment.updated == updated


def test_the_time_of_delivery_follows_the_events_and_goes_with_a_correction(carrier: Carrier) -> None:
    shipment = make(carrier)
    event(shipment, 9, "delivered")
    derive([shipment.pk])
    event(shipment, 5, "delivered")
    derive([shipment.pk])
    shipment.refresh_from_db()
    assert shipment.delivered == START + timedelta(hours=5)
    event(shipment, 20, "delivery_failed", reason="delivered_in_error")
    derive([shipment.pk])
    corrected = Shipment.objects.get()
    assert (corrected.status, corrected.delivered) == ("delivery_failed", None)


def test_a_time_of_delivery_stated_by_a_file_stays(carrier: Carrier) -> None:
    stated = START + timedelta(hours=4, minutes=7)
    shipment = make(carrier, delivered=stated)
    event(shipment, 5, "delivered")
    derive([shipment.pk])
    shipment.refresh_from_db()
    assert (shipment.status, shipment.delivered) == ("delivered", stated)


def test_an_applied_message_counts_and_one_that_was_not_applied_does_not(carrier: Carrier) -> None:
    shipment = make(carrier)
    event(shipment, 1, "in_transit")
    message = CarrierMessage.objects.create(
        carrier=carrier, shipment=shipment, text="Entregado", received=START + timedelta(hours=3), status="delivered"
    )
    derive([shipment.pk])
    shipment.refresh_from_db()
    assert shipment.status == "in_transit"
    CarrierMessage.objects.filter(pk=message.pk).update(applied=True)
    derive([shipment.pk])
    shipment.refresh_from_db()
    assert (shipment.status, shipment.delivered) == ("delivered", message.received)


def test_a_classified_message_goes_through_the_events_instead_of_over_them(carrier: Carrier) -> None:
    shipment = make(carrier)
    event(shipment, 9, "out_for_delivery")
    derive([shipment.pk])
    early, late = (
        CarrierMessage.objects.create(
            carrier=carrier, shipment=shipment, text="x", received=START + timedelta(hours=hour)
        )
        for hour in (5, 12)
    )
    answer = {"status": "on_hold", "reason": "customs_delay", "confidence": 0.95, "applied": True}
    done = apply(early, answer)
    assert (done["changed"], Shipment.objects.get().status) == (False, "out_for_delivery")
    assert apply(late, answer)["changed"] is True
    assert (Shipment.objects.get().status, Shipment.objects.get().reason) == ("on_hold", "customs_delay")
    assert apply(late, answer | {"applied": False})["changed"] is True
    assert Shipment.objects.get().status == "out_for_delivery", "no longer applied, it counts no longer"


def apply(message: CarrierMessage, answer: dict[str, Any]) -> dict[str, Any]:
    done = ClassifyMessages().apply(str(message.pk), answer, batch=cast(Any, None), open_binary=cast(Any, None))
    assert done is not None
    return done


def test_the_hourly_task_ages_and_counts_the_backlog_again(carrier: Carrier) -> None:
    AgeingRule.objects.create(from_status="in_transit", after_days=2, to_status="unknown")
    shipment = make(carrier)
    event(shipment, 1, "in_transit")
    event(shipment, 2, "", "X9")
    derive([shipment.pk])
    UnmappedCode.objects.update(events=77)
    Shipment.objects.update(status="in_transit")
    age_shipments_task()
    assert Shipment.objects.get().status == "unknown"
    assert UnmappedCode.objects.get().events == 1


def test_an_unmapped_event_marks_the_delivery_and_enters_the_backlog(carrier: Carrier) -> None:
    first, second = make(carrier), make(carrier, "N2")
    for shipment in (first, second):
        event(shipment, 1, "in_transit", "IT")
        event(shipment, 2, "", "X9", text="Contrôle spécial")
    event(second, 3, "delivered", "DL")
    derive([first.pk, second.pk])
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.unmapped, second.status, second.unmapped) == ("in_transit", True, "delivered", False)
    row = UnmappedCode.objects.get()
    assert (row.carrier, row.code, row.text, row.events, row.shipments) == (carrier, "X9", "Contrôle spécial", 2, 1)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_stored_is_what_the_function_says(carrier: Carrier, seed: int) -> None:
    chance = random.Random(seed)
    shipments = [make(carrier, f"N{number}") for number in range(30)]
    wanted = {}
    for shipment in shipments:
        happened = []
        for number in range(chance.randrange(9)):
            status = chance.choice(["", *Status.values])
            stored = event(shipment, chance.choice([0, 1, 30, 80, 150]), status, f"C{number}")
            stored.received += timedelta(hours=chance.choice([0, 9, -30]))
            stored.save()
            happened.append(Happening(stored.at, stored.received, status, "", stored.unmapped))
        wanted[shipment.pk] = status_of(happened)
    derive(list(wanted))
    for shipment in Shipment.objects.all():
        said = wanted[shipment.pk]
        assert shipment.status == (said.status or "pending")
        assert (shipment.status_at, shipment.last_event, shipment.unmapped) == said[2:]
    assert derive(list(wanted)) == 0


def test_silence_ages_a_delivery_and_deriving_it_again_keeps_that(carrier: Carrier) -> None:
    AgeingRule.objects.create(from_status="in_transit", after_days=30, to_status="unknown", reason="no_news")
    silent, fresh = make(carrier), make(carrier, "N2")
    event(silent, 1, "in_transit")
    event(fresh, 24 * 25, "in_transit")
    derive([fresh.pk])
    Shipment.objects.filter(pk=silent.pk).update(status="in_transit", last_event=START + timedelta(hours=1))
    assert age_shipments(START + timedelta(days=32)) == 1
    assert age_shipments(START + timedelta(days=32)) == 0
    silent.refresh_from_db()
    fresh.refresh_from_db()
    assert (silent.status, silent.reason, fresh.status) == ("unknown", "no_news", "in_transit")
    AgeingRule.objects.update(after_days=1)
    derive([silent.pk])
    silent.refresh_from_db()
    assert silent.status == "unknown"


def test_a_carriers_own_inactive_rule_exempts_it(carrier: Carrier) -> None:
    AgeingRule.objects.create(from_status="in_transit", after_days=30, to_status="unknown")
    AgeingRule.objects.create(
        carrier=carrier, from_status="in_transit", after_days=30, to_status="unknown", active=False
    )
    make(carrier, status="in_transit", last_event=START)
    assert age_shipments(START + timedelta(days=90)) == 0


def test_many_deliveries_cost_as_few_queries_as_one(carrier: Carrier) -> None:
    shipments = [make(carrier, f"N{number}") for number in range(50)]
    for shipment in shipments:
        event(shipment, 1, "in_transit")
    with CaptureQueriesContext(connection) as caught:
        derive([shipment.pk for shipment in shipments])
    assert len(caught) <= 7


@pytest.mark.slow
def test_ten_thousand_deliveries_of_eight_events_take_less_than_three_seconds(carrier: Carrier) -> None:
    Shipment.objects.bulk_create(
        [Shipment(carrier=carrier, tracking_number=f"B{n}", updated=LONG_AGO) for n in range(10_000)]
    )
    steps = [
        "pending",
        "picked_up",
        "in_transit",
        "in_transit",
        "on_hold",
        "in_transit",
        "out_for_delivery",
        "delivered",
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO shipments_trackingevent (shipment_id, at, code, text, place, status, reason, source, received)"
            " SELECT s.id, %s + n * interval '5 hours', 'C' || n, '', '', (%s::text[])[n], '', '', %s + n * interval '5 hours'"
            " FROM shipments_shipment s, generate_series(1, 8) n",
            [START, steps, START],
        )
        cursor.execute("ANALYZE shipments_trackingevent")
    ids = list(Shipment.objects.values_list("pk", flat=True))
    took: list[float] = []
    while len(took) < 3 and min(took, default=9) >= 3:  # other work on the machine may slow one of them
        Shipment.objects.update(status="pending", status_at=None, last_event=None, delivered=None)
        began = time.perf_counter()
        assert derive(ids) == 10_000
        took.append(time.perf_counter() - began)
    print("derived in", [f"{seconds:.2f} s" for seconds in took])  # noqa: T201  # the measurement
    assert min(took) < 3
    assert derive(ids) == 0
    assert set(Shipment.objects.values_list("status", flat=True)) == {"delivered"}
