"""The home page: few queries, one wish for new numbers at a time, today beside a usual day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils import timezone

from shipments import rollups, tasks
from shipments.models import HomeHour
from shipments.rollups.usual import courses
from tests.shipments.finding import carrier
from tests.shipments.home import PANELS, ago, delivery

pytestmark = pytest.mark.django_db
MADRID = ZoneInfo("Europe/Madrid")
HALF_PAST_TEN = datetime(2026, 11, 24, 10, 30, tzinfo=MADRID)
"""A Tuesday."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was sent to the broker."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.refresh_home, "delay", lambda **values: sent.append(values))
    cache.delete("shipments.home.asked")
    return sent


def hours(day: date, numbers: dict[int, int]) -> None:
    """Orders by the hour of the clock in Madrid."""
    HomeHour.objects.bulk_create(
        HomeHour(hour=datetime(day.year, day.month, day.day, at, tzinfo=MADRID).astimezone(UTC), orders=n)
        for at, n in numbers.items()
    )


def orders() -> Any:
    with timezone.override(MADRID):
        return courses(HALF_PAST_TEN)[0]


def test_usual_is_the_median_of_eight_weekdays_up_to_the_same_time_of_day() -> None:
    # Summer time ends in between; the clock on the wall counts.
    for back, at_nine in enumerate((10, 20, 30, 40, 50, 60, 70, 1000), 1):
        hours(date(2026, 11, 24) - timedelta(weeks=back), {0: 1, 9: at_nine, 10: 8, 11: 500, 23: 500})
    hours(date(2026, 11, 24), {9: 47, 10: 3})
    hours(date(2026, 11, 23), {9: 9999})
    course = orders()
    assert course.today == 50
    assert [value for _day, value in course.days] == [1005, 75, 65, 55, 45, 35, 25, 15]
    assert course.usual == 50
    assert course.unusual == ""


def test_weeks_before_the_first_known_hour_are_no_zeros() -> None:
    hours(date(2026, 11, 3), {0: 4})
    hours(date(2026, 11, 17), {9: 10})
    course = orders()
    assert [value for _day, value in course.days] == [None] * 5 + [4, 0, 10]
    assert course.usual == 4
    HomeHour.objects.filter(hour__lt=datetime(2026, 11, 10, tzinfo=UTC)).delete()
    assert orders().known == []
    assert orders().usual is None


def test_a_day_unlike_all_others_is_called_so(client_as: Any, viewer: User) -> None:
    rollups.refresh()
    text = client_as(viewer).get("/deliveries/home/today/").content.decode()
    assert "0 of 8 weeks known: too few" in text
    for back in range(1, 9):
        hours(timezone.localtime(timezone=MADRID).date() - timedelta(weeks=back), {at: 100 for at in range(24)})
    text = client_as(viewer).get("/deliveries/home/today/").content.decode()
    assert text.count("less than on any of them") == 1
    assert 'class="home-yellow"' in text


def test_home_and_its_panels_need_few_queries_for_many_carriers(
    client_as: Any, operator: User, query_budget: Any
) -> None:
    for place in range(30):
        delivery(f"A{place}", code=f"c{place}", status="on_hold", reason=f"r{place}", promised=ago(days=place))
    rollups.refresh()
    client = client_as(operator)
    for panel in PANELS:
        with query_budget(12):
            assert client.get(f"/deliveries/home/{panel}/").status_code == 200
    page = client.get("/").content.decode()
    assert [page.index(f"/deliveries/home/{panel}/") for panel in PANELS] == sorted(
        page.index(f"/deliveries/home/{panel}/") for panel in PANELS
    )


def test_operators_have_everything_counted_now_and_once(
    client_as: Any, operator: User, viewer: User, asked: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    rollups.refresh(ago(minutes=4))
    carrier()
    client = client_as(operator)
    with django_capture_on_commit_callbacks(execute=True):
        first = client.post("/deliveries/home/refresh/", headers={"HX-Request": "true"})
        second = client.post("/deliveries/home/refresh/")
    assert asked == [{"everything": True}]
    assert second.status_code == 302
    address = first.content.decode().split('hx-get="')[1].split('"')[0]
    waiting = client.get(address)
    assert "Counting" in waiting.content.decode()
    assert "HX-Trigger" not in waiting.headers
    rollups.refresh()
    assert client.get(address).headers["HX-Trigger"] == "home-refreshed"
    assert client_as(viewer).post("/deliveries/home/refresh/").status_code == 403
    assert "Refresh now" in client.get("/deliveries/home/late/").content.decode()
    assert "Refresh now" not in client_as(viewer).get("/deliveries/home/late/").content.decode()


def test_after_a_minute_without_a_worker_the_page_gives_up(client_as: Any, operator: User) -> None:
    since = ago(seconds=70).isoformat().replace("+", "%2B")
    for wrong in (since, "nonsense"):
        answer = client_as(operator).get(f"/deliveries/home/refreshing/?since={wrong}")
        assert answer.status_code == 200
        assert "HX-Trigger" not in answer.headers
