"""The numbers of the home page are counted part by part, the same again and again, and kept when counting fails."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from shipments import rollups
from shipments.models import HomeCount, HomeHour, HomePart, Shipment
from shipments.rollups import counting
from shipments.tasks import refresh_home
from tests.shipments.home import ago, attempt, delivery, numbers

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
"""A Tuesday."""


def rows() -> list[Any]:
    counted = HomeCount.objects.order_by("kind", "key", "carrier").values_list("kind", "key", "carrier", "n")
    hours = HomeHour.objects.order_by("hour", "carrier").values_list("hour", "carrier", "orders", "delivered", "failed")
    return [*counted, *hours]


def hour(moment: datetime, code: str | None = None) -> tuple[int, ...]:
    at = moment.replace(minute=0, second=0, microsecond=0)
    return tuple(HomeHour.objects.values_list("orders", "delivered", "failed").get(hour=at, carrier__code=code))


def test_counting_again_changes_nothing() -> None:
    for days in (0.5, 2, 5, 20):
        late = delivery(f"L{days}", created=ago(days=days), promised=ago(days=days / 2), status="delivery_failed")
        attempt(late, ago(days=days / 3))
    first = rollups.refresh()
    before = rows()
    assert {outcome.said for outcome in first} == {"counted"}
    refresh_home(everything=True)
    assert rows() == before != []


def test_hours_count_each_event_in_its_hour_by_carrier_and_together() -> None:
    at = NOW - timedelta(hours=5)
    one = delivery("A", created=at, delivered=at + timedelta(hours=1), status="delivered")
    delivery("B", code="brume", created=at + timedelta(minutes=59, seconds=59))
    delivery("C", code="brume", created=at - timedelta(minutes=31))
    for minutes in (5, 10):
        attempt(one, at + timedelta(minutes=minutes))
    rollups.refresh(NOW)
    assert hour(at) == (1, 0, 1)
    assert hour(at, "acme") == (1, 0, 1)
    assert hour(at + timedelta(hours=1), "acme") == (0, 1, 0)
    assert hour(at + timedelta(hours=1)) == (1, 1, 0)
    assert hour(at - timedelta(hours=1), "brume") == (1, 0, 0)


def test_what_concerns_the_last_days_comes_in_at_once_and_older_things_once_a_day() -> None:
    rollups.refresh(NOW - timedelta(minutes=5))
    recent, old = NOW - timedelta(days=1), NOW - timedelta(days=20)
    moved = delivery("A", created=recent, delivered=recent)
    delivery("B", created=old, delivered=old)
    rollups.refresh(NOW)
    assert hour(recent) == (1, 1, 0)
    assert not HomeHour.objects.filter(hour__lt=NOW - timedelta(days=10)).exists()
    Shipment.objects.filter(pk=moved.pk).update(delivered=None)
    rollups.refresh(NOW + timedelta(minutes=5))
    assert hour(recent) == (1, 0, 0)
    rollups.refresh(NOW + timedelta(days=1))
    assert hour(old) == (1, 1, 0)
    rollups.refresh(NOW + timedelta(days=80))
    assert not HomeHour.objects.exists()


def test_a_part_that_fails_keeps_its_numbers_and_the_others_go_on(client_as: Any, viewer: User) -> None:
    delivery("A", promised=ago(days=2), last_event=ago(days=4))
    then = timezone.now() - timedelta(minutes=40)
    rollups.refresh(then)
    Shipment.objects.update(promised=None, unmapped=True)
    with connection.cursor() as cursor:  # whatever reads the index of open deliveries goes wrong
        cursor.execute("ALTER TABLE shipments_shipment RENAME COLUMN last_event TO last_event_gone")
    outcomes = {outcome.part: outcome for outcome in rollups.refresh()}
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE shipments_shipment RENAME COLUMN last_event_gone TO last_event")
    assert (outcomes["open"].said, outcomes["unmapped"].said) == ("failed", "counted")
    assert HomePart.objects.get(pk="open").as_of == then
    client = client_as(viewer)
    assert numbers(client, "late")["/deliveries/?late=now"] == 1
    assert numbers(client, "to-sort-out")["/deliveries/?unmapped=true"] == 1
    text = client.get("/deliveries/home/late/").content.decode()
    assert "Old numbers" in text
    assert "the last count failed (database: ProgrammingError)" in text
    assert "Old numbers" not in client.get("/deliveries/home/today/").content.decode()


def test_a_count_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(cursor: Any, now: datetime) -> None:
        HomeCount.objects.all().delete()
        cursor.execute("SELECT pg_sleep(5)")

    delivery("A", promised=ago(days=2))
    rollups.refresh()
    before = rows()
    monkeypatch.setattr(counting, "LIMIT_MS", 30)
    monkeypatch.setattr(counting, "PARTS", (counting.Part("open", slow),))
    out = io.StringIO()
    with pytest.raises(CommandError, match="old numbers stay"):
        call_command("refresh_home", stdout=out)
    assert "took longer" in out.getvalue()
    assert rows() == before


def test_only_what_is_due_is_counted_by_the_schedule() -> None:
    refresh_home()
    HomePart.objects.update(as_of=ago(minutes=5))
    assert {outcome.part for outcome in rollups.refresh(only_due=True)} == {"open", "hours", "messages", "unmapped"}
    assert rollups.refresh(only_due=True) == []


def test_before_the_first_count_a_panel_says_so(client_as: Any, viewer: User) -> None:
    for panel in ("late", "silent", "to-sort-out", "exceptions", "today"):
        assert "Not counted yet" in client_as(viewer).get(f"/deliveries/home/{panel}/").content.decode()


def test_with_nothing_to_do_the_panels_are_calm(client_as: Any, viewer: User) -> None:
    rollups.refresh()
    client = client_as(viewer)
    said = {
        panel: client.get(f"/deliveries/home/{panel}/").content.decode() for panel in ("late", "silent", "exceptions")
    }
    assert "Nothing is late" in said["late"]
    assert "Every open delivery was heard of" in said["silent"]
    assert "No delivery failed" in said["exceptions"]
    assert not any("home-red" in text for text in said.values())
