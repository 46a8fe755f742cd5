"""Codes that nobody mapped are seen, mapped with a preview, applied to the history, and taken back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from core.models import AuditEntry
from shipments.models import AgeingRule, Carrier, CodeMapping, Shipment, TrackingEvent, UnmappedCode
from shipments.status import derive, look_up, remap, runs
from shipments.status.changes import Change, save_mapping, take_back
from shipments.status.meaning import forget
from shipments.status.seed import seed_status_data

START = datetime(2026, 11, 2, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fresh_look_ups() -> None:
    forget()


@pytest.fixture
def carrier(db: None) -> Carrier:
    seed_status_data()
    AgeingRule.objects.all().delete()  # the events of these tests grow older every day
    return Carrier.objects.create(code="nord", name="Nord")


@pytest.fixture
def at_once(settings: Any, django_capture_on_commit_callbacks: Any) -> Iterator[Any]:
    """Tasks run where they are sent, after the commit."""
    from config.celery import app

    app.conf.task_always_eager = True
    yield lambda: django_capture_on_commit_callbacks(execute=True)
    app.conf.task_always_eager = False


def delivery(carrier: Carrier, number: str, *codes: str) -> Shipment:
    """A delivery with events an hour apart, stored as a carrier's webhook would be."""
    shipment = Shipment.objects.create(carrier=carrier, tracking_number=number, created=START)
    for hour, code in enumerate(codes, start=1):
        at = START + timedelta(hours=hour)
        meaning = look_up(carrier.pk, code, at.date())
        TrackingEvent.objects.create(
            shipment=shipment, at=at, received=at, code=code, text=f"text of {code}", status=meaning.status,
            reason=meaning.reason, unmapped=not meaning.mapped,
        )  # fmt: skip
    derive([shipment.pk])
    return shipment


def kept(run: runs.Run) -> runs.Run:
    found = runs.load(run.id)
    assert found
    return found


def statuses() -> list[str]:
    return list(Shipment.objects.order_by("tracking_number").values_list("status", flat=True))


def test_the_list_shows_what_waits_most_first_with_a_suggestion(
    carrier: Carrier, client_as: Callable[[User], Client], operator: User
) -> None:
    other = Carrier.objects.create(code="ouest", name="Ouest")
    delivery(carrier, "N1", "in_transit", "X9")
    for number in range(3):
        delivery(other, f"O{number}", "in_transit", "LIV")
    TrackingEvent.objects.filter(code="LIV").update(text="Colis livré au destinataire")
    TrackingEvent.objects.filter(code="X9").update(text="zzz")
    derive(list(Shipment.objects.values_list("pk", flat=True)))
    text = client_as(operator).get("/deliveries/codes/").content.decode()
    assert text.index("LIV") < text.index("X9")
    assert "Colis livré" in text and 'data-value="delivered"' in text
    assert "Use it" not in text, "operators see, administrators change"
    narrowed = client_as(operator).get("/deliveries/codes/?carrier=nord").content.decode()
    assert "X9" in narrowed and "LIV" not in narrowed


def test_an_empty_backlog_says_so(carrier: Carrier, client_as: Callable[[User], Client], operator: User) -> None:
    assert "Every code is mapped" in client_as(operator).get("/deliveries/codes/").content.decode()


def test_viewers_and_operators_cannot_map(
    carrier: Carrier, client_as: Callable[[User], Client], operator: User, viewer: User
) -> None:
    delivery(carrier, "N1", "X9")
    values = {"carrier": "nord", "code": "X9", "status": "on_hold"}
    assert client_as(viewer).get("/deliveries/codes/").status_code == 403
    for address in ("/deliveries/codes/map/", "/deliveries/codes/preview/"):
        assert client_as(operator).get(address, values).status_code == 403
    assert client_as(operator).post("/deliveries/codes/preview/", values).status_code == 403
    assert not CodeMapping.objects.filter(carrier=carrier).exists()


def test_mapping_shows_the_differences_then_makes_them_and_undo_takes_them_back(
    carrier: Carrier, client_as: Callable[[User], Client], admin_user: User, at_once: Any
) -> None:
    delivery(carrier, "N1", "in_transit", "X9")
    delivery(carrier, "N2", "in_transit", "x9", "delivered")
    delivery(carrier, "N3", "picked_up", "X9")
    client = client_as(admin_user)
    values = {"carrier": "nord", "code": "X9", "status": "on_hold", "reason": "customs_delay"}
    page = client.get("/deliveries/codes/preview/", values).content.decode()
    assert "2 deliveries change" in page and "3 events of 3 deliveries" in page
    assert statuses() == ["in_transit", "delivered", "picked_up"], "a preview writes nothing"
    assert not CodeMapping.objects.filter(carrier=carrier).exists()
    with at_once():
        answer = client.post("/deliveries/codes/preview/", values)
    assert statuses() == ["on_hold", "delivered", "on_hold"]
    assert not UnmappedCode.objects.exists()
    assert set(TrackingEvent.objects.filter(code__iexact="x9").values_list("status", "unmapped")) == {
        ("on_hold", False)
    }
    page = client.get(answer["Location"]).content.decode()
    assert "Done: 2 deliveries changed" in page
    undo = re.search(r"/deliveries/codes/take-back/\d+/", page)
    assert undo, "taking it back is offered"
    assert "deliveries change" in client.get(undo[0]).content.decode()
    with at_once():
        client.post(undo[0])
    assert statuses() == ["in_transit", "delivered", "picked_up"]
    assert sorted(UnmappedCode.objects.values_list("code", "shipments")) == [("X9", 2), ("x9", 0)]
    verbs = list(AuditEntry.objects.order_by("id").values_list("verb", "actor_name"))
    name = admin_user.get_username()
    assert verbs == [("codes.mapped", name), ("codes.rerun", name), ("codes.taken_back", name), ("codes.rerun", name)]


def test_a_form_without_a_status_says_what_is_missing(
    carrier: Carrier, client_as: Callable[[User], Client], admin_user: User
) -> None:
    delivery(carrier, "N1", "X9")
    answer = client_as(admin_user).get("/deliveries/codes/preview/", {"carrier": "nord", "code": "X9", "status": ""})
    assert answer.status_code == 400
    assert "This field is required" in answer.content.decode()


@pytest.mark.parametrize("query", ["", "?carrier=nobody&code=X", "?carrier=nord&code=", "?carrier=nord"])
def test_an_address_without_a_known_carrier_and_code_is_not_found(
    carrier: Carrier, client_as: Callable[[User], Client], admin_user: User, query: str
) -> None:
    client: Client = client_as(admin_user)
    assert client.get(f"/deliveries/codes/map/{query}").status_code == 404
    assert client.get(f"/deliveries/codes/preview/{query}").status_code == 404


def test_a_change_from_a_day_on_keeps_what_held_before(carrier: Carrier, admin_user: User) -> None:
    save_mapping(Change(carrier.pk, "ab", "in_transit"), actor=admin_user)
    save_mapping(Change(carrier.pk, "AB", "on_hold", "customs_delay", date(2026, 11, 10)), actor=admin_user)
    assert look_up(carrier.pk, "Ab ", date(2026, 11, 9)).status == "in_transit"
    assert look_up(carrier.pk, "AB", date(2026, 11, 10)).reason == "customs_delay"
    rows = CodeMapping.objects.filter(carrier=carrier).order_by("valid_from")
    assert [row.valid_until for row in rows] == [date(2026, 11, 10), None]
    take_back(rows[1], actor=admin_user)
    assert look_up(carrier.pk, "AB", date(2026, 11, 10)).status == "in_transit"


def test_changing_a_mapped_code_previews_and_applies_over_the_whole_history(carrier: Carrier, admin_user: User) -> None:
    save_mapping(Change(carrier.pk, "AB", "in_transit"), actor=admin_user)
    shipments = [delivery(carrier, f"N{number}", "AB") for number in range(4)]
    Shipment.objects.filter(pk=shipments[0].pk).update(created=START)
    TrackingEvent.objects.filter(shipment=shipments[0]).update(at=START - timedelta(days=9))
    derive([shipments[0].pk])
    change = Change(carrier.pk, "AB", "delivery_delayed", valid_from=date(2026, 11, 1))
    seen = remap.preview(change)
    assert change.touches_mapped() and (seen.changed, seen.shipments, seen.partial) == (3, 4, False)
    save_mapping(change, actor=admin_user)
    run = runs.prepare(carrier_id=carrier.pk, code="AB", title="AB", whole=True)
    runs.work(run.id)
    assert statuses() == ["in_transit", *["delivery_delayed"] * 3]
    assert kept(run).changed == 3


def test_a_run_done_twice_changes_nothing_the_second_time(carrier: Carrier, admin_user: User) -> None:
    delivery(carrier, "N1", "X9")
    save_mapping(Change(carrier.pk, "X9", "on_hold"), actor=admin_user)
    first = runs.prepare(carrier_id=carrier.pk, code="X9", title="X9", whole=False)
    assert runs.work(first.id) is False
    updated = Shipment.objects.get().updated
    second = runs.prepare(carrier_id=carrier.pk, code="X9", title="X9", whole=True)
    runs.work(second.id)
    runs.work(second.id)
    assert (kept(first).changed, kept(second).changed) == (1, 0)
    assert Shipment.objects.get().updated == updated


def test_an_interrupted_run_goes_on_where_it_was(
    carrier: Carrier, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remap, "EVENTS_AT_ONCE", 2)
    for number in range(5):
        delivery(carrier, f"N{number}", "X9")
    save_mapping(Change(carrier.pk, "X9", "on_hold"), actor=admin_user)
    run = runs.prepare(carrier_id=carrier.pk, code="X9", title="X9", whole=False)
    assert runs.work(run.id, seconds=0) is True
    assert statuses().count("on_hold") == 2
    while runs.work(run.id, seconds=0):
        pass
    done = kept(run)
    assert (statuses(), done.state, done.changed, done.done) == (["on_hold"] * 5, "done", 5, 5)


def test_the_preview_says_exactly_what_the_run_then_does(carrier: Carrier, admin_user: User) -> None:
    for number, codes in enumerate(
        [("X9",), ("in_transit", "X9"), ("X9", "delivered"), ("cancelled", "X9"), ("Y1", "X9")]
    ):
        delivery(carrier, f"N{number}", *codes)
    change = Change(carrier.pk, "X9", "out_for_delivery")
    said = remap.preview(change)
    save_mapping(change, actor=admin_user)
    run = runs.prepare(carrier_id=carrier.pk, code="X9", title="X9", whole=False)
    runs.work(run.id)
    did = kept(run)
    assert {f"{a}>{b}": n for (a, b), n in said.moves.items()} == did.moves
    assert said.events == did.events == 5


def test_public_codes_of_a_carrier_are_there_from_its_first_event_on(carrier: Carrier) -> None:
    fedex = Carrier.objects.create(code="fedex-es", name="FedEx España")
    assert look_up(fedex.pk, "dl", date(2026, 11, 2)).status == "delivered"
    assert "public" in CodeMapping.objects.filter(carrier=fedex)[0].source
    assert look_up(carrier.pk, "EMI", date(2026, 11, 2)).status == "delivered", "the postal standard holds for all"


def test_a_carriers_own_row_goes_before_the_one_for_all(carrier: Carrier, admin_user: User) -> None:
    save_mapping(Change(carrier.pk, "EMI", "on_hold"), actor=admin_user)
    assert look_up(carrier.pk, "EMI", date(2026, 11, 2)).status == "on_hold"


def test_seeding_again_adds_nothing_and_keeps_what_people_changed(carrier: Carrier) -> None:
    CodeMapping.objects.filter(code="EMI").update(status="on_hold")
    assert seed_status_data() == (0, 0)
    assert CodeMapping.objects.get(code="EMI").status == "on_hold"


def test_the_admin_applies_a_mapping_to_the_history(
    carrier: Carrier, client_as: Callable[[User], Client], admin_user: User, at_once: Any
) -> None:
    delivery(carrier, "N1", "X9")
    row = CodeMapping.objects.create(carrier=carrier, code="X9", status="on_hold", valid_from=date(2026, 1, 1))
    values = {"action": "apply_to_history", "_selected_action": [row.pk]}
    with at_once():
        client_as(admin_user).post("/admin/shipments/codemapping/", values)
    assert statuses() == ["on_hold"]


def test_the_page_of_a_delivery_says_that_its_code_is_not_mapped(
    carrier: Carrier, client_as: Callable[[User], Client], viewer: User
) -> None:
    shipment = delivery(carrier, "N1", "X9")
    TrackingEvent.objects.create(shipment=shipment, at=START + timedelta(days=400), received=START, code="in_transit")
    text = client_as(viewer).get(f"/deliveries/{shipment.pk}/").content.decode()
    assert 'data-value="unmapped"' in text and 'data-value="ahead"' in text


def test_the_migrations_fit_the_models(db: None) -> None:
    call_command("makemigrations", "shipments", check=True, dry_run=True)
