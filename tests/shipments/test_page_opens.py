"""The page of a delivery: bounded however much happened, honest about what is older, and its parts as the person may use them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from core.audit import record
from services_registry.models import Batch, BatchItem
from shipments.models import CarrierMessage, Document, Note, Reason, Shipment, TrackingEvent
from tests.shipments.finding import deliveries

pytestmark = pytest.mark.django_db


def full(shipment: Shipment, count: int, author: User) -> None:
    """`count` of everything, one a minute, by turns."""
    now = timezone.now()
    for place in range(count):
        at = now - timedelta(minutes=place)
        TrackingEvent.objects.create(
            shipment=shipment, at=at, received=at, code=f"C{place}", text="Scan", place="Lyon", status="in_transit"
        )
        message = CarrierMessage.objects.create(carrier=shipment.carrier, shipment=shipment, text="x", received=at)
        Document.objects.create(
            shipment=shipment, type="label", file="a.pdf", name="a.pdf", bytes=10, sha256=str(place), created=at
        )
        Note.objects.create(shipment=shipment, author=author, author_name=author.username, text="n", created=at)
        record(actor=author, verb="shipment.changed", target=shipment)
        for kind, key in (("render_pdf", shipment.pk), ("classify_messages", message.pk)):
            batch = Batch.objects.create(capability=kind, function_name="f", title="t", created=at)
            BatchItem.objects.create(batch=batch, position=1, key=str(key), state="succeeded", settled=at)


def kinds(answer: Any) -> list[str]:
    return [entry.kind for day in answer.context["timeline"].days for entry in day.entries]


@pytest.mark.parametrize("count", [0, 3, 30])
def test_page_needs_the_same_few_queries_for_nothing_for_3_and_for_30_of_everything(
    client_as: Any, operator: User, query_budget: Any, count: int
) -> None:
    [shipment] = deliveries(1)
    full(shipment, count, operator)
    client = client_as(operator)
    client.get("/notifications/bell/")  # the session is in the cache from here on
    with query_budget(28):
        answer = client.get(f"/deliveries/{shipment.pk}/")
    assert answer.status_code == 200
    if count == 30:
        assert len(kinds(answer)) == 50
        assert {chip.name: chip.count for chip in answer.context["timeline"].chips} == {
            "note": 30, "action": 30, "document": 30, "rule": 0, "run": 60, "message": 30, "event": 30,
        }  # fmt: skip


@pytest.mark.slow
def test_a_thousand_events_are_walked_to_the_order_without_a_gap_or_a_repetition(client_as: Any, viewer: User) -> None:
    [shipment] = deliveries(1, created=timezone.now() - timedelta(days=60))
    now = timezone.now().replace(microsecond=0)
    TrackingEvent.objects.bulk_create(  # three at each moment, so that pages end between equals
        TrackingEvent(shipment=shipment, at=now - timedelta(minutes=place // 3), code=str(place), text="Scan")
        for place in range(1_000)
    )
    for place in range(3):
        at = now - timedelta(minutes=place * 100)
        Note.objects.create(shipment=shipment, author_name="x", text=f"n{place}", created=at)
    client, seen, address = client_as(viewer), [], f"/deliveries/{shipment.pk}/"
    first = client.get(address)
    assert len(first.content) < 200_000
    assert next(chip for chip in first.context["timeline"].chips if chip.name == "event").count == 1_000
    while address:
        timeline = client.get(address).context["timeline"]
        seen += [(entry.kind, entry.id) for day in timeline.days for entry in day.entries]
        address = f"/deliveries/{shipment.pk}/{timeline.older}" if timeline.older else ""
    assert len(seen) == len(set(seen)) == 1_004
    assert seen[-1][0] == "order"


def test_kinds_are_chosen_in_the_address_and_the_part_is_the_page_s(
    client_as: Any, viewer: User, operator: User
) -> None:
    [shipment] = deliveries(1)
    full(shipment, 2, operator)
    client = client_as(viewer)
    whole = client.get(f"/deliveries/{shipment.pk}/?show=note,event,nonsense&before=nonsense")
    assert set(kinds(whole)) == {"note", "event"}
    part = client.get(f"/deliveries/{shipment.pk}/timeline/?show=note,event", headers={"HX-Request": "true"})
    assert part["HX-Push-Url"] == f"/deliveries/{shipment.pk}/?show=note,event"
    assert part.content.decode().strip()[:200] in whole.content.decode()
    plain = client.get(f"/deliveries/{shipment.pk}/timeline/?show=note")
    assert plain["Location"] == f"/deliveries/{shipment.pk}/?show=note#timeline"
    chip = next(chip for chip in whole.context["timeline"].chips if chip.name == "note")
    assert (chip.chosen, chip.query) == (True, "?show=event")


def test_what_a_carrier_sent_stands_beside_what_it_was_taken_for(client_as: Any, admin_user: User) -> None:
    [shipment] = deliveries(1)
    Reason.objects.update_or_create(
        code="consignee_not_home", defaults={"label": "nobody at home", "valid_from": "2020-01-01"}
    )
    at = timezone.now() - timedelta(hours=5)
    for code, status, reason in (("NH", "delivery_failed", "consignee_not_home"), ("Z41", "", "")):
        TrackingEvent.objects.create(
            shipment=shipment, at=at, code=code, text="Personne", place="Lyon", status=status, reason=reason,
            unmapped=not status,
        )  # fmt: skip
    text = client_as(admin_user).get(f"/deliveries/{shipment.pk}/").content.decode()
    assert "delivery failed · nobody at home" in text
    assert "code NH" in text and "Lyon" in text and "we were told 5 h later" in text
    assert 'data-value="unmapped"' in text
    assert "/deliveries/codes/map/?carrier=acme&amp;code=Z41" in text


def test_days_and_hours_are_those_of_the_person(client_as: Any, viewer: User) -> None:
    [shipment] = deliveries(1)
    moment = timezone.now().replace(year=2026, month=7, day=1, hour=23, minute=30, second=0, microsecond=0)
    TrackingEvent.objects.create(shipment=shipment, at=moment, received=moment, code="A", text="Late scan")
    client = client_as(viewer)
    client.post("/account/preferences/", {"time_zone": "Asia/Tokyo", "theme": "auto", "density": "compact"})
    answer = client.get(f"/deliveries/{shipment.pk}/?show=event")
    [day] = answer.context["timeline"].days
    assert day.day.isoformat() == "2026-07-02"
    expected = r'<time datetime="2026-07-01T23:30:00\+00:00" title="2026-07-02 08:30:00 JST">08:30</time>'
    assert re.search(expected, answer.content.decode())


def test_every_function_for_deliveries_is_offered_what_is_missing_first(
    client_as: Any, operator: User, viewer: User
) -> None:
    [shipment] = deliveries(1, status="delivered")
    CarrierMessage.objects.create(carrier=shipment.carrier, shipment=shipment, text="x")
    client = client_as(operator)
    answer = client.get(f"/deliveries/{shipment.pk}/")
    slugs = [deed.slug for deed in answer.context["deeds"]]
    assert slugs == ["fetch_documents", "render_pdf", "classify_messages"]
    panel = f"/deliveries/{shipment.pk}/completeness/"
    assert f'hx-get="{panel}"' in answer.content.decode(), "what the rules expect is loaded when the page is there"
    [message] = [deed for deed in answer.context["deeds"] if deed.slug == "classify_messages"]
    planned = client.post("/batches/plan/", {"capability": message.slug, "keys": message.keys})
    assert planned.status_code == 200
    text = client_as(viewer).get(f"/deliveries/{shipment.pk}/").content.decode()
    assert "/batches/plan/" not in text


def test_a_change_in_the_admin_is_an_action_on_the_timeline(client_as: Any, admin_user: User) -> None:
    [shipment] = deliveries(1)
    admin_user.is_superuser = True
    admin_user.save()
    client = client_as(admin_user)
    address = f"/admin/shipments/shipment/{shipment.pk}/change/"
    form = client.get(address).context["adminform"].form
    data = {name: "" if (value := form[name].value()) is None else value for name in form.fields}
    data |= {"status": "on_hold", "sender": "{}", "recipient": "{}", "parcels": "[]", "customer": "Olmo & Co"}
    for name in ("status_at", "last_event", "created", "promised", "delivered", "updated"):
        data.pop(name)
        data |= {f"{name}_0": "2026-11-01", f"{name}_1": "12:00:00"}
    answer = client.post(address, data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    text = client.get(f"/deliveries/{shipment.pk}/?show=action").content.decode()
    assert "changed the delivery" in text and "status: pending → on_hold" in text
