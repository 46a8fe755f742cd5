"""Whatever happens in whatever order, and whenever the upkeep looks: the rows are those computed from scratch."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from services_registry.models import Batch, BatchItem
from shipments.completeness import changes, refresh
from shipments.completeness.upkeep import keep_up
from shipments.models import DocumentRule, DocumentWaiver, ExpectedDocument, Shipment
from tests.completeness.making import NOTE, NOW, POD, delivery, document, hours, rule, tried

pytestmark = pytest.mark.django_db
STATUSES = ("pending", "in_transit", "delivered", "delivery_failed", "cancelled", "unknown")


def rows() -> list[Any]:
    names = [field.attname for field in ExpectedDocument._meta.concrete_fields if field.name != "id"]
    return sorted(ExpectedDocument.objects.values_list(*names), key=str)


def moves(shipment: Shipment, chance: random.Random, admin: Any, rules_change: bool) -> Callable[[], object]:
    """One thing that may happen to a delivery, its documents, its batches or the rules."""

    def status() -> None:
        value = chance.choice(STATUSES)
        delivered = NOW - hours(chance.choice([1, 30, 60])) if value == "delivered" else None
        Shipment.objects.filter(pk=shipment.pk).update(
            status=value, delivered=delivered, updated=ExpectedClock.next(), destination_country=chance.choice(["FR", "GB"])
        )  # fmt: skip

    def stored() -> None:
        document(shipment, chance.choice([POD, NOTE]), ago=chance.random() * 100)

    def away() -> None:
        for row in shipment.documents.all()[:1]:
            row.state = "deleted" if row.state == "stored" else "stored"
            row.save()

    def fetch() -> None:
        Batch.objects.filter(pk=tried(shipment, chance.choice(["NotFound", "TimedOut", ""])).batch_id).update(
            created=ExpectedClock.next()
        )

    def begin() -> None:
        Batch.objects.filter(pk=tried(shipment, state="pending").batch_id).update(created=ExpectedClock.next())

    def settle() -> None:
        pending = BatchItem.objects.filter(state="pending", key=str(shipment.pk))
        pending.update(state=chance.choice(["failed", "cancelled"]), error_type="NotFound", settled=NOW - hours(1))

    def waive() -> None:
        mine = ExpectedDocument.objects.filter(shipment=shipment, state__in=("waiting", "overdue"))
        if mine.exists():
            changes.waive(mine, reason="not needed", actor=admin)

    def take_back() -> None:
        for action in DocumentWaiver.objects.values_list("action", flat=True)[:1]:
            changes.take_back_waivers(action, actor=admin)

    def change_rule() -> None:
        changed = DocumentRule.objects.order_by("pk")[0] if chance.random() < 0.3 else DocumentRule(document_type=NOTE)
        changed.due_hours, changed.due_after = chance.choice([1, 90]), "created"
        changed.from_status, changed.obtain = "pending", chance.choice(["make", "ask", "none"])
        changed.lane, changed.valid_from = (
            chance.choice(["", "leaving_eu"]),
            NOW.date().replace(month=chance.choice([1, 11])),
        )
        changes.save_rule(changed, actor=admin)

    changes_rules = [change_rule] if rules_change else []
    return chance.choice(
        [
            status,
            status,
            stored,
            away,
            fetch,
            begin,
            begin,
            settle,
            settle,
            waive,
            take_back,
            *changes_rules,
        ]
    )


class ExpectedClock:
    """`updated` and `created` as the database's clock gives them: never earlier than what was read already."""

    @staticmethod
    def next() -> Any:
        from django.utils import timezone

        return timezone.now()


@pytest.mark.parametrize("seed", range(12))
def test_the_upkeep_comes_to_the_same_as_from_scratch(admin_user: Any, seed: int) -> None:
    chance = random.Random(seed)
    rule()
    rule(NOTE, lane="leaving_eu")
    shipments = [delivery(f"N{number}") for number in range(4)]
    refresh.refresh([shipment.pk for shipment in shipments], NOW)
    keep_up(NOW)
    for _step in range(30):
        moves(chance.choice(shipments), chance, admin_user, rules_change=seed % 3 == 0)()
        if chance.random() < 0.4:
            keep_up(NOW)
    keep_up(NOW)
    kept = rows()
    ExpectedDocument.objects.all().delete()
    refresh.refresh([shipment.pk for shipment in chance.sample(shipments, 4)], NOW)
    assert kept == rows()
    later = NOW + hours(100)
    keep_up(later)
    by_time = rows()
    ExpectedDocument.objects.all().delete()
    refresh.refresh([shipment.pk for shipment in shipments], later)
    assert by_time == rows()
