"""The feed of changes and the page of the syncs, over pages and API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from core.models import AuditEntry
from services_registry.models import AwsAccount, Function, FunctionRevision, SyncRun

ClientAs = Callable[[User], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture
def changed(make_function: Callable[..., Function]) -> Callable[..., None]:
    def change(name: str, count: int = 1, **changes: Any) -> None:
        function = make_function(name, owner=f"team-{name}")
        FunctionRevision.objects.create(function=function)
        for number in range(count):
            values = changes or {"timeout_s": [3, 900 + number]}
            FunctionRevision.objects.create(function=function, by="ana", changes=values)

    return change


def test_the_feed_says_what_changed_and_finds_it(
    changed: Any, client_as: ClientAs, viewer: User, api_client: Any
) -> None:
    changed("render", timeout_s=[30, 900])
    changed("fetch", event_sources=[[{"source": "q", "state": "Enabled"}], [{"source": "q", "state": "Disabled"}]])
    client, api = client_as(viewer), api_client(viewer)
    page = client.get("/functions/changes/").content.decode()
    assert "30 s" in page and "900 s" in page and "q Disabled" in page and "ana" in page
    for query, names in (
        ("field=timeout_s", {"render"}), ("owner=team-fetch", {"fetch"}), ("q=end", {"render"}), ("by=ana", {"render", "fetch"}),
        ("after=2999-01-01", set()),
    ):  # fmt: skip
        page = client.get(f"/functions/changes/?{query}").content.decode()
        assert {name for name in ("render", "fetch") if f">{name}</a>" in page} == names
        rows = api.get(f"/api/v1/revisions/?{query}").json()["results"]
        assert {row["function_name"] for row in rows if row["changes"]} == names
    assert client.get("/functions/changes/?after=soon").status_code == 400


def test_the_feed_costs_the_same_with_thirty_changes(
    changed: Any, client_as: ClientAs, viewer: User, query_budget: Any
) -> None:
    changed("render", 30)
    client = client_as(viewer)
    client.get("/functions/changes/")
    with query_budget(9):
        assert client.get("/functions/changes/").status_code == 200


def test_the_page_of_syncs_shows_each_place_and_what_was_not_read(client_as: ClientAs, viewer: User) -> None:
    client = client_as(viewer)
    assert "never synced" in client.get("/functions/syncs/").content.decode()
    account = AwsAccount.objects.create(name="subsidiary", regions=["eu-west-1", "eu-west-3"])
    SyncRun.objects.create(
        account=account, region="eu-west-1", seen=7, failed=[["arn:x", "AccessDenied"]], failed_count=1
    )
    SyncRun.objects.create(account=account, region="eu-west-3", problem="the role may not be assumed")
    page = client.get("/functions/syncs/").content.decode()
    assert "AccessDenied" in page and "the role may not be assumed" in page and "cannot be listed" in page
    assert "Sync now" not in page


def test_an_operator_begins_a_sync_and_a_viewer_may_not(
    client_as: ClientAs, operator: User, viewer: User, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    assert client_as(viewer).post("/functions/syncs/now/").status_code == 403
    with django_capture_on_commit_callbacks() as sent:
        assert client_as(operator).post("/functions/syncs/now/", {"full": "1"}).status_code == 302
    assert len(sent) == 1
    assert AuditEntry.objects.get(verb="registry.sync").summary == "full"
