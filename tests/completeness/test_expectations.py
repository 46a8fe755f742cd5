"""What is expected of a delivery and how it stands, as it is stored."""

from __future__ import annotations

from typing import Any

import pytest

from shipments.completeness.refresh import refresh
from shipments.completeness.work import kinds_of
from shipments.models import CompletenessSettings, DocumentWaiver, ExpectedDocument, TrackingEvent
from shipments.models.completeness import NOT_KNOWN_YET
from tests.completeness.making import NOTE, NOW, POD, carrier, delivery, document, hours, rule, stood, tried

pytestmark = pytest.mark.django_db


def standing(shipment: Any, document_type: str = POD) -> tuple[Any, ...] | None:
    refresh([shipment.pk], NOW)
    row = stood(shipment, document_type)
    return (row.state, row.turn, row.next_try and row.next_try - NOW) if row else None


def test_a_proof_is_waited_for_then_overdue_and_first_the_carriers_then_our_turn() -> None:
    rule()
    assert standing(delivery("A", delivered_ago=10)) == ("waiting", "carrier", hours(-10))
    assert standing(delivery("B", delivered_ago=49)) == ("overdue", "us", hours(-49))
    assert standing(delivery("C", status="in_transit")) is None
    assert standing(delivery("D", status="cancelled")) is None


def test_one_that_came_in_time_has_no_row_and_a_late_one_is_kept() -> None:
    rule()
    in_time, late = delivery("A", delivered_ago=100), delivery("B", delivered_ago=100)
    document(in_time, POD, ago=60)
    document(in_time, POD, ago=1)
    document(late, POD, ago=10)
    document(late, POD, ago=90, state="quarantined")
    assert standing(in_time) is None
    assert standing(late) == ("complete", "", None)
    row = stood(late)
    assert row and row.completed == NOW - hours(10)


def test_not_there_yet_is_no_failure_and_is_tried_again_after_longer_and_longer_waits() -> None:
    rule()
    shipment = delivery(delivered_ago=30)
    for number, (ago, wait) in enumerate(((9, 1), (8, 2), (7, 4)), 1):
        tried(shipment, ago=ago)
        assert standing(shipment) == ("waiting", "carrier", hours(wait - ago))
        row = stood(shipment)
        assert row and (row.tries, row.error_type) == (number, "NotFound")


def test_after_the_last_try_it_is_a_persons_turn() -> None:
    rule()
    CompletenessSettings.objects.create(most_tries=2, first_wait_hours=3, longest_wait_hours=4)
    shipment = delivery(delivered_ago=60)
    tried(shipment, ago=9)
    assert standing(shipment) == ("overdue", "carrier", hours(-6))
    tried(shipment, ago=5)
    assert standing(shipment) == ("overdue", "person", None)


def test_other_errors_are_failures_ours_when_they_may_pass_and_a_persons_when_not() -> None:
    rule()
    away, locked, damaged = (delivery(name, delivered_ago=10) for name in "ABC")
    tried(away, "ConnectionRefused", ago=2)
    tried(locked, "AuthenticationFailed", ago=2)
    tried(damaged, "", ago=2)
    assert standing(away) == ("failed", "us", hours(-1))
    assert standing(locked) == ("failed", "person", None)
    assert standing(damaged) == ("failed", "carrier", hours(-1))
    row = stood(damaged)
    assert row and row.error_type == "Unusable"
    growing, paused = (delivery(name, delivered_ago=10) for name in "DE")
    tried(growing, "StillGrowing", ago=2)
    tried(paused, "ConnectionPaused", ago=2)
    assert standing(growing) == ("waiting", "carrier", hours(-1)), "a file that is being written is not there yet"
    assert standing(paused) == ("failed", "person", None)


def test_while_a_batch_works_on_it_it_is_being_got_and_cancelled_items_count_for_nothing() -> None:
    rule()
    shipment = delivery(delivered_ago=10)
    tried(shipment, ago=3)
    item = tried(shipment, state="pending")
    assert standing(shipment) == ("running", "us", None)
    row = stood(shipment)
    assert row and (row.last_item, row.last_batch_id, row.tries) == (item.pk, item.batch_id, 1)
    type(item).objects.filter(pk=item.pk).update(state="cancelled")
    assert standing(shipment) == ("waiting", "carrier", hours(-2))


def test_what_we_make_is_our_turn_and_a_persons_once_it_failed_and_asking_is_a_persons() -> None:
    rule(NOTE)
    rule("customs_declaration", obtain="ask", from_status="pending", due_after="created")
    shipment = delivery()
    assert standing(shipment, NOTE) == ("overdue", "us", None)
    assert standing(shipment, "customs_declaration") == ("overdue", "person", None)
    tried(shipment, "BadData", capability="render_pdf")
    assert standing(shipment, NOTE) == ("failed", "person", None)


def test_a_waiver_holds_whatever_happens_and_a_document_that_comes_all_the_same_counts() -> None:
    rule()
    shipment = delivery(delivered_ago=60)
    DocumentWaiver.objects.create(shipment=shipment, document_type=POD, reason="x", action="1" * 32)
    tried(shipment)
    assert standing(shipment) == ("waived", "", None)
    document(shipment, POD, ago=1)
    assert standing(shipment) == ("complete", "", None)


def test_due_at_pick_up_is_not_known_before_and_follows_the_first_event() -> None:
    rule("label", due_after="picked_up", due_hours=0, from_status="pending")
    shipment = delivery(status="pending")
    refresh([shipment.pk], NOW)
    row = stood(shipment, "label")
    assert row and (row.due, row.state, row.since) == (NOT_KNOWN_YET, "waiting", NOW - hours(120))
    for ago, status in ((40, ""), (30, "in_transit"), (20, "delivered")):
        TrackingEvent.objects.create(shipment=shipment, at=NOW - hours(ago), status=status, code=status)
    refresh([shipment.pk], NOW)
    row = stood(shipment, "label")
    assert row and (row.due, row.state) == (NOW - hours(30), "overdue")


def test_the_more_specific_rule_speaks_and_not_expected_exempts() -> None:
    rule(NOTE, due_hours=1)
    rule(NOTE, due_hours=2, lane="leaving_eu")
    rule(NOTE, due_hours=3, destinations="GB, CH")
    rule(NOTE, due_hours=4, incoterm="DDP")
    rule(NOTE, carrier=carrier("own"), obtain="none")
    rule(NOTE, due_hours=6, carrier=carrier("off"), active=False)
    wanted = {
        ("FR", "", "nord"): 1, ("NO", "", "nord"): 2, ("GB", "", "nord"): 3, ("GB", "DDP", "nord"): 4,
        ("GB", "DDP", "own"): None, ("FR", "", "off"): 1,
    }  # fmt: skip
    for number, ((country, term, code), due) in enumerate(wanted.items()):
        shipment = delivery(f"N{number}", code=code, destination_country=country, incoterm=term)
        refresh([shipment.pk], NOW)
        row = stood(shipment, NOTE)
        assert (row and row.due == shipment.created + hours(due or 0)) == (None if due is None else True), country


def test_a_rule_holds_for_what_was_ordered_while_it_was_valid() -> None:
    rule(NOTE, due_hours=1, valid_until="2026-11-15")
    rule(NOTE, due_hours=9, valid_from="2026-11-15")
    rows = []
    for number, day in enumerate((14, 15)):
        shipment = delivery(f"N{number}", created=NOW.replace(day=day))
        refresh([shipment.pk], NOW)
        rows.append(stood(shipment, NOTE))
    assert [row and row.due.hour for row in rows] == [13, 21]


def test_refreshing_again_writes_nothing_and_unknown_deliveries_are_left_out() -> None:
    rule()
    shipment = delivery(delivered_ago=60)
    tried(shipment)
    assert refresh([shipment.pk, shipment.pk, 987_654], NOW) == (1, 0)
    assert refresh([shipment.pk], NOW) == (0, 0)
    shipment.status = "delivery_failed"
    shipment.save()
    assert refresh([shipment.pk], NOW) == (0, 1)
    assert not ExpectedDocument.objects.exists()


def test_a_batch_counts_for_the_type_it_makes_and_every_type_we_print_can_be_made() -> None:
    for document_type in ("label", "packing_list", "cmr_waybill", "commercial_invoice", NOTE):
        rule(document_type, obtain="make", from_status="pending", due_after="created")
    rule("customs_declaration", obtain="make", from_status="pending", due_after="created")
    shipment = delivery()
    item = tried(shipment, "BadData", capability="render_pdf")
    item.batch.context = {"type": "label", "language": "recipient"}
    item.batch.save()
    refresh([shipment.pk], NOW)
    turns = dict(ExpectedDocument.objects.values_list("document_type", "turn"))
    assert turns == {
        "label": "person", "packing_list": "us", "cmr_waybill": "us", "commercial_invoice": "us", NOTE: "us",
        "customs_declaration": "person",
    }  # fmt: skip
    kinds = kinds_of({"shipment": str(shipment.pk)})
    assert [kind.context.get("type") for kind in kinds if kind.capability] == [
        "cmr_waybill", "commercial_invoice", NOTE, "label", "packing_list",
    ]  # fmt: skip
