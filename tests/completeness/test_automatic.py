"""Missing documents are fetched without being asked: only when switched on, when they are due, and never twice at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from services_registry.models import Batch, BatchItem
from shipments.completeness.automatic import fetch_due
from shipments.completeness.refresh import refresh
from shipments.models import CompletenessSettings, ExpectedDocument, Shipment
from shipments.tasks import fetch_due as fetch_due_task
from tests.completeness.making import NOTE, delivery, hours, rule, tried

pytestmark = pytest.mark.django_db


@pytest.fixture
def three() -> list[Shipment]:
    rule()
    rule(NOTE)
    at = timezone.now() - hours(50)
    rows = [delivery(name, code=code, status="delivered", delivered=at, created=at) for name, code in
            (("A", "nord"), ("B", "nord"), ("C", "sud"))]  # fmt: skip
    refresh([row.pk for row in rows])
    return rows


def test_nothing_is_fetched_while_it_is_switched_off(three: Any) -> None:
    fetch_due_task()
    assert not Batch.objects.exists()


def test_what_is_due_is_fetched_in_one_batch_for_each_carrier_and_never_twice(three: list[Shipment]) -> None:
    CompletenessSettings.objects.create(automatic=True)
    started = fetch_due()
    assert sorted((batch.total, batch.title.split(":")[0], batch.source) for batch in started) == [
        (1, "Automatic", "schedule"), (2, "Automatic", "schedule"),
    ]  # fmt: skip
    assert set(ExpectedDocument.objects.filter(obtain="fetch").values_list("state", flat=True)) == {"running"}
    fetch_due_task()
    assert Batch.objects.count() == 2


def test_what_a_person_fetches_at_this_moment_is_left_to_them(three: list[Shipment]) -> None:
    CompletenessSettings.objects.create(automatic=True)
    tried(three[0], state="pending")
    assert sorted(BatchItem.objects.filter(batch__in=fetch_due()).values_list("label", flat=True)) == ["B", "C"]


def test_a_try_that_found_nothing_is_repeated_only_after_its_wait(three: list[Shipment]) -> None:
    CompletenessSettings.objects.create(automatic=True)
    now = timezone.now()
    fetch_due(now)
    BatchItem.objects.update(state="failed", error_type="NotFound", settled=now)
    refresh([row.pk for row in three], now)
    assert fetch_due(now + hours(0.9)) == []
    assert len(fetch_due(now + hours(1.1))) == 2
