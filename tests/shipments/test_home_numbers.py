"""Every number of the home page is the length of the list it leads to."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from shipments.completeness.refresh import refresh
from shipments.documents.store import store_document
from shipments.models import CarrierMessage, Reason, Shipment, UnmappedCode
from tests.completeness.making import rule as expect
from tests.shipments.finding import carrier, shown
from tests.shipments.home import PANELS, ago, attempt, delivery, length, numbers

pytestmark = pytest.mark.django_db
OPEN = ("pending", "in_transit", "delivery_delayed", "unknown")


def whole_day(ahead: int) -> datetime:
    """A promise without a time, as an import stores it."""
    today = timezone.localdate(timezone=ZoneInfo(settings.DISPLAY_TIME_ZONE))
    return datetime.combine(today + timedelta(days=ahead), time(), tzinfo=UTC)


def fill() -> None:
    """Deliveries on every side of every border."""
    for place, days in enumerate((0.2, 0.9, 1.5, 2.9, 3.1, 6.9, 7.1, 13.9, 14.1, 40)):
        for code, status in zip(("acme", "brume", "acme", "olmo"), OPEN, strict=True):
            delivery(f"L{place}{status}", code=code, status=status, promised=ago(days=days), reason="weather_delay")
            delivery(f"S{place}{status}", code=code, status=status, last_event=None, updated=ago(days=days))
        delivery(f"D{place}", code="brume", status="delivered", delivered=ago(days=days), promised=ago(days=days + 1))
        delivery(f"R{place}", status="return_to_sender", reason="returned", promised=ago(days=days))
        delivery(f"B{place}", status="return_to_sender", reason="consignee_refused", promised=ago(days=days))
        delivery(f"C{place}", status="cancelled", promised=ago(days=days), last_event=ago(days=days))
    for hours in (1, 5, 20, 30, 47):
        delivery(f"P{hours}", status="in_transit", promised=timezone.now() + timedelta(hours=hours))
    for days in range(-9, 4):
        delivery(f"W{days}", status="in_transit", promised=whole_day(days))
        delivery(f"V{days}", status="delivered", promised=whole_day(days), delivered=ago(days=1, hours=1))
    for place in range(12):
        delivery(f"X{place}", code=f"c{place}", status="on_hold", reason=f"reason_{place}", unmapped=place % 2 == 0)
    proven = delivery("PROVEN", status="delivered", delivered=ago(days=5))
    store_document(shipment=proven, type="proof_of_delivery", content=b"%PDF-1.4", name="p.pdf", source="uploaded")
    delivery("TODAY", created=ago(seconds=5), status="delivered", delivered=ago(seconds=2))
    twice = delivery("TWICE", status="delivery_failed", reason="")
    for at in (ago(minutes=1), ago(minutes=2)):
        attempt(twice, at)
    for status, applied in (("", False), ("on_hold", False), ("on_hold", True), ("", False)):
        CarrierMessage.objects.create(carrier=carrier(), text="?", status=status, applied=applied)
    UnmappedCode.objects.create(carrier=carrier(), code="Z9", shipments=6, events=6)
    expect("proof_of_delivery", carrier=carrier("brume"))
    refresh(Shipment.objects.values_list("pk", flat=True))


@pytest.mark.slow
def test_each_number_is_the_length_of_its_list(client_as: Any, operator: User) -> None:
    fill()
    call_command("refresh_home", verbosity=0)
    client = client_as(operator)
    seen = {panel: numbers(client, panel) for panel in PANELS}
    for panel, found in seen.items():
        wrong = {address: (n, length(client, address)) for address, n in found.items() if n != length(client, address)}
        assert wrong == {}, panel
    assert {panel: len(found) for panel, found in seen.items()} == {
        "late": 10, "silent": 8, "to-sort-out": 7, "exceptions": 16, "today": 3,
    }  # fmt: skip
    assert seen["late"]["/deliveries/?late=now"] == 49
    assert seen["late"]["/deliveries/?late=now&late_days=1&late_days_under=3"] == 10
    assert seen["silent"]["/deliveries/?silent_days=14"] == 8
    assert seen["to-sort-out"]["/messages/?review=true"] == 1


def test_the_api_and_a_selection_understand_the_same_filters(api_client: Any, viewer: User) -> None:
    fill()
    client = api_client(viewer)
    rows = client.get("/api/v1/shipments/?late=now&late_days=7&carrier=olmo&page_size=100").json()["results"]
    assert sorted(row["tracking_number"] for row in rows) == ["L6unknown", "L7unknown", "L8unknown", "L9unknown"]
    by_delivery = client.get("/api/v1/shipments/?delivered_days=3&delivered_days_under=10&sort=-delivered").json()[
        "results"
    ]
    assert [row["tracking_number"] for row in by_delivery] == ["D4", "PROVEN", "D5", "D6"]
    for wrong in ("late=soon", "due=never", "silent_days=-1", "silent_days=x", "reason=a%20b", "sort=-delivered"):
        assert client.get(f"/api/v1/shipments/?{wrong}").status_code == 400, wrong


def test_the_page_of_a_list_names_its_filters_and_lets_them_go(client_as: Any, viewer: User) -> None:
    Reason.objects.create(code="snowed_in", label="snowed in", status="on_hold", valid_from="2026-01-01")
    delivery("A1", status="on_hold", reason="snowed_in", delivered=ago(days=1))
    delivery("A2", status="on_hold")
    page = client_as(viewer).get("/deliveries/?reason=snowed_in&silent_days_under=4&delivered_days=1&sort=-delivered")
    assert [row.tracking_number for row in page.context["page"].rows] == ["A1"]
    chips = {chip["label"]: chip["url"] for chip in page.context["chips"]}
    assert "reason: snowed in" in chips
    assert "sort" not in chips["delivered days ago, at least: 1"]
    assert "sort" in chips["reason: snowed in"]
    assert 'name="silent_days_under" id="id_silent_days_under" value="4"' in page.content.decode()
    none = client_as(viewer).get("/deliveries/?reason=none")
    assert [row.tracking_number for row in none.context["page"].rows] == ["A2"]


def test_a_promised_day_is_kept_until_it_is_over_as_on_the_page_of_the_delivery(client_as: Any, viewer: User) -> None:
    late, today = (delivery(f"W{days}", status="in_transit", promised=whole_day(days)) for days in (-1, 0))
    delivery("W1", status="in_transit", promised=whole_day(1))
    for days in (-1, 0):
        delivery(f"V{days}", status="delivered", promised=whole_day(days), delivered=ago(seconds=1))
    client = client_as(viewer)
    assert shown(client, "late=now") == [late.tracking_number]
    assert "overdue" in client.get(f"/deliveries/{late.pk}/").content.decode()
    assert shown(client, "due=today") == [today.tracking_number]
    assert "overdue" not in client.get(f"/deliveries/{today.pk}/").content.decode()
    assert shown(client, "due=tomorrow") == ["W1"]
    assert shown(client, "late=delivered") == ["V-1"]


def test_due_today_ends_with_the_day_of_the_viewer(client_as: Any, viewer: User) -> None:
    now = timezone.localtime(timezone=ZoneInfo(settings.DISPLAY_TIME_ZONE))
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), tzinfo=now.tzinfo)
    delivery("TODAY", promised=midnight - timedelta(seconds=1))
    delivery("TOMORROW", promised=midnight)
    delivery("LATER", promised=midnight + timedelta(days=1))
    client = client_as(viewer)
    assert shown(client, "due=today") == ["TODAY"]
    assert shown(client, "due=tomorrow") == ["TOMORROW"]
