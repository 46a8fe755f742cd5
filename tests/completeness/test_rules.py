"""Rules are tried out on real deliveries before they are saved; a change closes the old row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from core.models import AuditEntry
from shipments.completeness.seed import seed_rules
from shipments.completeness.upkeep import keep_up
from shipments.models import CompletenessProgress, DocumentRule, ExpectedDocument
from tests.completeness.making import NOTE, NOW, POD, carrier, delivery, document, hours, rule

pytestmark = pytest.mark.django_db


def fields(**values: Any) -> dict[str, Any]:
    return {
        "document_type": POD, "obtain": "fetch", "from_status": "delivered", "due_hours": 48, "due_after": "delivered",
        "carrier": "", "lane": "", "origin": "", "destinations": "", "incoterm": "", "valid_from": "2026-11-01", **values,
    }  # fmt: skip


def test_trying_out_says_what_would_be_expected_and_missing_and_writes_nothing(
    client_as: Any, admin_user: User, operator: User
) -> None:
    stored = rule(carrier=carrier("nord"))
    for number in range(10):
        row = delivery(f"N{number}", delivered_ago=100, code="nord" if number < 4 else "sud")
        if number % 2:
            document(row, POD, ago=90)
    delivery("P", status="in_transit")
    address = f"/documents/board/rules/{stored.pk}/?{urlencode(fields())}"
    seen = client_as(operator).get(address)
    assert seen.status_code == 200 and b"Save this rule" not in seen.content, "everybody may try out, admins save"
    assert client_as(operator).post(f"/documents/board/rules/{stored.pk}/", fields()).status_code == 403
    page = client_as(admin_user).get(address)
    found = page.context["preview"]
    assert found.looked_at == 11
    assert (found.today.expected, found.today.there, found.today.missing, found.today.late) == (4, 2, 2, 2)
    assert (found.then.expected, found.then.there, found.then.missing, found.then.late) == (10, 5, 5, 5)
    assert (found.newly_missing, found.no_longer_missing) == (3, 0)
    assert {example["before"] for example in page.context["examples"]} == {"not expected"}
    assert b"Tried out on the newest 11 deliveries" in page.content
    assert (DocumentRule.objects.count(), ExpectedDocument.objects.count()) == (1, 0)


def test_exempting_a_carrier_shows_what_would_no_longer_be_missing(client_as: Any, admin_user: User) -> None:
    rule()
    delivery("A", delivered_ago=100, code="own")
    delivery("B", delivered_ago=100)
    query = urlencode(fields(carrier=carrier("own").pk, obtain="none"))
    found = client_as(admin_user).get(f"/documents/board/rules/new/?{query}").context["preview"]
    assert (found.today.missing, found.then.missing, found.no_longer_missing) == (2, 1, 1)
    same = (
        client_as(admin_user).get(f"/documents/board/rules/new/?{urlencode(fields(due_hours=200))}").context["preview"]
    )
    assert (same.today.late, same.then.late) == (2, 0), "of two that say the same the later one speaks"


def test_a_saved_change_closes_the_old_row_and_goes_over_what_was_ordered_since(
    client_as: Any, admin_user: User
) -> None:
    old = rule(NOTE, due_hours=1)
    before, after = delivery("A", created=NOW - hours(24 * 12)), delivery("B")
    client = client_as(admin_user)
    form = fields(document_type=NOTE, obtain="make", from_status="pending", due_after="created", due_hours=5,
                  valid_from="2026-11-10")  # fmt: skip
    assert client.post(f"/documents/board/rules/{old.pk}/", form | {"incoterm": "XYZ"}).status_code == 400
    assert client.post(f"/documents/board/rules/{old.pk}/", form).status_code == 302
    old.refresh_from_db()
    new = DocumentRule.objects.exclude(pk=old.pk).get()
    assert (old.valid_until, new.valid_from, new.replaces, new.changed_by) == (
        new.valid_from, new.valid_from, old, admin_user.username,
    )  # fmt: skip
    entry = AuditEntry.objects.get(verb="documents.rule_saved")
    assert entry.before and entry.after
    assert (entry.before["due_hours"], entry.after["due_hours"]) == (1, 5)
    keep_up()
    assert CompletenessProgress.objects.get().rerun_from is None
    assert not ExpectedDocument.objects.filter(shipment=before).exists(), "ordered before, it was not gone over"
    assert ExpectedDocument.objects.get(shipment=after).rule == new


def test_one_that_never_held_by_itself_is_switched_off_and_an_ended_one_keeps_what_was_ordered_before(
    client_as: Any, admin_user: User, viewer: User
) -> None:
    today = timezone.now().date()
    young, old = rule(NOTE, valid_from=today), rule()
    client = client_as(admin_user)
    for row in (young, old):
        assert client.post(f"/documents/board/rules/{row.pk}/end/").status_code == 302
    young.refresh_from_db()
    old.refresh_from_db()
    assert (young.active, old.active, old.valid_until) == (False, True, today)
    page = client_as(viewer).get("/documents/board/rules/")
    assert (len(page.context["rules"]), len(page.context["ended"])) == (0, 2)


def test_the_usual_rules_are_made_once_and_judge_lanes_out_of_the_union(client_as: Any, viewer: User) -> None:
    day = (NOW - timedelta(days=30)).date()
    assert (seed_rules(day), seed_rules(day)) == (6, 0)
    inside, outside, home = (
        delivery("A"),
        delivery("B", destination_country="GB"),
        delivery("C", destination_country="ES"),
    )
    keep_up()
    types = {
        row.tracking_number: set(row.expected_documents.values_list("document_type", flat=True))
        for row in (inside, outside, home)
    }
    always = {"label", NOTE}
    assert types["C"] == always
    assert types["A"] == always | {"cmr_waybill"}
    assert types["B"] == types["A"] | {"commercial_invoice", "customs_declaration"}
    assert b"out of the EU customs territory" in client_as(viewer).get("/documents/board/rules/").content
