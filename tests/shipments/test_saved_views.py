"""Views of the list: an own address, private or shared, changed by their owner only."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from core.models import SavedView
from tests.shipments.finding import deliveries, shown

pytestmark = pytest.mark.django_db


def save(
    client: Any, name: str = "Held", query: str = "status=on_hold&sort=created&cursor=abc", **more: str
) -> SavedView:
    client.post("/deliveries/views/", {"name": name, "query": query, **more})
    return SavedView.objects.get(name=name)


def test_a_saved_view_opens_the_same_list_again_without_the_position_in_it(client_as: Any, viewer: User) -> None:
    deliveries(2, status="on_hold")
    deliveries(1, first=2)
    client = client_as(viewer)
    view = save(client)
    assert view.query == "status=on_hold&sort=created"
    answer = client.get(f"/deliveries/view/{view.pk}/", follow=True)
    assert [row.tracking_number for row in answer.context["page"].rows] == ["ACME00000", "ACME00001"]
    assert "<h1" in answer.content.decode()
    assert answer.context["view"] == view


def test_private_views_are_not_there_for_others_and_shared_ones_are(
    client_as: Any, viewer: User, operator: User
) -> None:
    client, other = client_as(viewer), client_as(operator)
    private, shared = save(client), save(client, "All", shared="1")
    assert other.get(f"/deliveries/view/{private.pk}/").status_code == 404
    assert other.get(f"/deliveries/view/{shared.pk}/").status_code == 302
    assert [view.name for view in other.get("/deliveries/").context["views"]] == ["All"]
    for deed in ("change", "delete"):
        assert other.post(f"/deliveries/view/{shared.pk}/{deed}/", {"name": "Mine"}).status_code == 404
    assert SavedView.objects.get(pk=shared.pk).name == "All"


def test_owner_renames_shares_changes_and_deletes(client_as: Any, viewer: User) -> None:
    client = client_as(viewer)
    view = save(client)
    address = f"/deliveries/view/{view.pk}"
    client.post(f"{address}/change/", {"name": " On   hold ", "shared": "1", "query": "country=ES"})
    view.refresh_from_db()
    assert (view.name, view.shared, view.query) == ("On hold", True, "status=on_hold&sort=created")
    client.post(f"{address}/change/", {"name": "On hold", "query": "country=ES", "keep": "1"})
    view.refresh_from_db()
    assert (view.shared, view.query) == (False, "country=ES")
    client.post(f"{address}/delete/")
    assert not SavedView.objects.exists()


def test_same_name_again_changes_the_view_and_a_taken_name_is_refused(client_as: Any, viewer: User) -> None:
    client = client_as(viewer)
    view, other = save(client), save(client, "Other")
    assert save(client, query="country=LU").pk == view.pk
    answer = client.post(f"/deliveries/view/{other.pk}/change/", {"name": "Held"}, follow=True)
    assert "already have a view called" in answer.content.decode()
    assert SavedView.objects.get(pk=other.pk).name == "Other"


def test_a_view_without_a_name_is_refused_and_the_list_stays(client_as: Any, viewer: User) -> None:
    answer = client_as(viewer).post("/deliveries/views/", {"name": " ", "query": "status=on_hold"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/deliveries/?status=on_hold"
    assert "Give the view a name" in answer.content.decode()
    assert not SavedView.objects.exists()


def test_a_view_whose_filters_are_no_longer_known_shows_nothing_and_why(client_as: Any, viewer: User) -> None:
    deliveries(1)
    client = client_as(viewer)
    view = save(client, query="status=gone")
    answer = client.get(f"/deliveries/view/{view.pk}/", follow=True)
    assert (answer.status_code, answer.context["page"].rows) == (400, [])
    assert shown(client) == ["ACME00000"]
