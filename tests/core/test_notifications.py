"""The inbox: told once, read by its owner only, counted at the bell."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from core.models import Notification
from core.notifications import inbox, notify, unread_count, withdraw
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_the_same_thing_is_told_once_and_things_without_a_key_each_time(viewer: User, operator: User) -> None:
    for _again in range(2):
        notify([viewer, viewer, operator], "incident", "Costs rise", "/costs/", dedupe_key="incident:1")
        notify([viewer], "hint", "Again")
    assert (unread_count(viewer), unread_count(operator)) == (3, 1)
    Notification.objects.filter(user=operator).update(read="2026-11-24T00:00Z")
    withdraw("incident:1")
    withdraw("")
    assert (inbox(viewer).count(), inbox(operator).count()) == (2, 1)


@pytest.mark.parametrize("url", ["https://elsewhere.example/", "//elsewhere.example/x", "javascript:alert(1)"])
def test_a_notification_never_leads_away(viewer: User, url: str) -> None:
    with pytest.raises(ValueError, match="not an address of this site"):
        notify([viewer], "hint", "x", url)


def test_the_bell_counts_what_is_unread_and_ends_at_99(client_as: Any, viewer: User, query_budget: Any) -> None:
    client = client_as(viewer)
    assert "data-unread" not in client.get("/notifications/bell/").content.decode()
    notify([viewer], "hint", "one")
    assert 'data-unread="1"' in client.get("/notifications/bell/").content.decode()
    for number in range(120):
        notify([viewer], "hint", str(number))
    with query_budget(6):
        assert "99+" in client.get("/notifications/bell/").content.decode()
    assert 'hx-get="/notifications/bell/"' in client.get("/account/").content.decode()


def test_people_read_their_own_and_all_means_what_they_saw(
    client_as: Any, viewer: User, operator: User, query_budget: Any
) -> None:
    notify([viewer, operator], "mention", "first", "/deliveries/?q=abc")
    client = client_as(viewer)
    mine, other = inbox(viewer).get(), inbox(operator).get()
    page = client.get("/notifications/")
    assert "first" in page.content.decode() and page.context["newest"] == mine.pk
    notify([viewer], "hint", "came in since")
    client.post("/notifications/read/", {"newest": mine.pk})
    assert list(inbox(viewer, unread=True).values_list("text", flat=True)) == ["came in since"]
    for address in (f"/notifications/{other.pk}/", f"/notifications/{other.pk}/read/"):
        assert client.get(address).status_code in {404, 405}
        assert client.post(address).status_code in {404, 405}
    assert unread_count(operator) == 1
    client.post(f"/notifications/{inbox(viewer)[0].pk}/read/", {"unread": "1"})
    assert "You have read everything." in client.get("/notifications/?unread=1").content.decode()
    assert client.get(f"/notifications/{mine.pk}/")["Location"] == "/deliveries/?q=abc"
    for number in range(60):
        notify([viewer], "hint", str(number))
    with query_budget(12):
        assert len(client.get("/notifications/").context["page"].rows) == 50
    assert client.post("/notifications/read/", {"newest": "all"}).status_code == 400


def test_people_are_offered_by_the_beginning_of_any_of_their_names(client_as: Any, viewer: User) -> None:
    ana = make_user("viewer", username="ana_b")
    ana.first_name, ana.last_name = "Ana", "Brume"
    ana.save()
    gone = make_user("viewer", username="ana.gone")
    gone.is_active = False
    gone.save()
    client = client_as(viewer)
    for asked in ("ana", "ANA_", "bru"):
        found = client.get("/people/", {"q": asked}).json()["people"]
        assert found == [{"username": "ana_b", "name": "Ana Brume"}]
    assert client.get("/people/", {"q": "%"}).json()["people"] == []
    assert len(client.get("/people/").json()["people"]) == 2
