"""`generate_shipments`: the same rows for the same seed, skewed, marked, and a table as it was before."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F

from shipments.choices import EXCEPTIONS
from shipments.deliveries import generated
from shipments.models import Shipment, TrackingEvent
from tests.shipments.finding import deliveries

FIELDS = ("carrier__code", "tracking_number", "status", "destination_country", "customer", "created")


def rows() -> list[tuple[object, ...]]:
    return list(Shipment.objects.order_by("tracking_number").values_list(*FIELDS))


@pytest.mark.django_db
def test_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    found = []
    for seed in (1, 1, 2):
        Shipment.objects.all().delete()
        call_command("generate_shipments", "300", seed=seed, verbosity=0)
        found.append(rows())
    assert found[0] == found[1] != found[2]
    assert len({row[1] for row in found[0]}) == 300


@pytest.mark.django_db
def test_rows_are_skewed_four_seconds_apart_and_marked() -> None:
    call_command("generate_shipments", "2000", verbosity=0)
    statuses = Counter(Shipment.objects.values_list("status", flat=True))
    assert len(statuses) == 12
    assert 0.6 < statuses["delivered"] / 2000 < 0.7
    newest, before = Shipment.objects.order_by("-created")[:2]
    assert (newest.created - before.created).total_seconds() == 4
    assert not Shipment.objects.filter(sample=False).exists()
    call_command("generate_shipments", "10", verbosity=0)
    assert Shipment.objects.values("tracking_number").distinct().count() == 2010


@pytest.mark.django_db
def test_it_does_not_write_beside_real_deliveries() -> None:
    deliveries(1)
    with pytest.raises(CommandError, match="real deliveries"):
        call_command("generate_shipments", "10")
    assert Shipment.objects.count() == 1


@pytest.mark.django_db
def test_older_ones_are_settled_and_some_late_or_tried_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    end = datetime(2026, 11, 20, tzinfo=UTC)
    monkeypatch.setattr(generated, "APART", timedelta(minutes=5))  # seven days of orders in few rows
    call_command("generate_shipments", "2000", verbosity=0)
    settled = Shipment.objects.filter(created__lt=end - timedelta(days=4))
    statuses = Counter(settled.values_list("status", flat=True))
    assert 0.94 < statuses["delivered"] / settled.count() < 0.98
    assert 0.01 < settled.filter(delivered__gt=F("promised")).count() / settled.count() < 0.08
    assert not Shipment.objects.filter(status__in=EXCEPTIONS, reason="").exists()
    assert not Shipment.objects.exclude(status__in=EXCEPTIONS).exclude(reason="").exists()
    assert not Shipment.objects.filter(last_event__gt=end).exists()
    failed = Shipment.objects.filter(status="delivery_failed").count()
    assert TrackingEvent.objects.filter(status="delivery_failed").count() > failed > 0


def parts_of_the_table() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'shipments_shipment' UNION ALL"
            " SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = 'shipments_shipment'::regclass ORDER BY 1, 2"
        )
        return list(cursor.fetchall())


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_indexes_and_constraints_that_are_left_out_meanwhile_are_back_afterwards() -> None:
    before = parts_of_the_table()
    call_command("generate_shipments", "50000", verbosity=0)
    assert parts_of_the_table() == before
    assert Shipment.objects.count() == 50_000
