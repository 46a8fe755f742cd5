"""The same over REST."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import User
from rest_framework.test import APIClient

from services_registry.models import Batch
from tests.batches.test_outcomes import play

ApiClient = Callable[[User], APIClient]
Work = Callable[..., Batch]
ADDRESS = "/api/v1/batches/"


def test_start_watch_and_read_the_items(toy: str, work: Work, api_client: ApiClient, operator: User) -> None:
    client = api_client(operator)
    body = {"capability": "toy", "selection": {"keys": ["ok-1", "error-2"]}}
    first = client.post(ADDRESS, body, format="json", HTTP_IDEMPOTENCY_KEY="tool-1")
    again = client.post(ADDRESS, body, format="json", HTTP_IDEMPOTENCY_KEY="tool-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    work(Batch.objects.get())
    state = client.get(f"{ADDRESS}{first.json()['id']}/").json()
    assert (state["state"], state["succeeded"], state["failed"]) == ("done", 1, 1)
    items = client.get(f"{ADDRESS}{state['id']}/items/?state=failed").json()["results"]
    assert [(item["key"], item["error_type"]) for item in items] == [("error-2", "NotFound")]


def test_a_plain_run_and_its_answer(toy: str, work: Work, api_client: ApiClient, operator: User) -> None:
    client = api_client(operator)
    made = client.post(ADDRESS, {"function": "toy-batch-function", "payload": {"x": 1}}, format="json").json()
    work(Batch.objects.get())
    chunk = client.get(f"{ADDRESS}{made['id']}/chunks/").json()["results"][0]
    assert chunk["response"] == {"echo": {"x": 1}}


def test_cancel_and_retry(toy: str, work: Work, api_client: ApiClient, operator: User) -> None:
    client = api_client(operator)
    waiting = play("ok-1")
    assert client.post(f"{ADDRESS}{waiting.pk}/cancel/", {"reason": "no"}, format="json").json()["state"] == "cancelled"
    failed = work(play("error-1", "ok-2"))
    child = client.post(f"{ADDRESS}{failed.pk}/retry/", {}, format="json", HTTP_IDEMPOTENCY_KEY="r")
    again = client.post(f"{ADDRESS}{failed.pk}/retry/", {}, format="json", HTTP_IDEMPOTENCY_KEY="r")
    assert child.status_code == 201
    assert child.json()["id"] == again.json()["id"]
    assert (child.json()["total"], child.json()["parent"]) == (1, str(failed.pk))


def test_what_makes_no_sense_is_refused_with_fields(toy: str, api_client: ApiClient, operator: User) -> None:
    client = api_client(operator)
    for body in ({}, {"capability": "toy"}, {"capability": "nobody", "selection": {"keys": ["1"]}}):
        answer = client.post(ADDRESS, body, format="json")
        assert answer.status_code == 400
        assert answer.json()["error"]["message"]
    empty = client.post(ADDRESS, {"capability": "toy", "selection": {"keys": []}}, format="json")
    assert (empty.status_code, empty.json()["error"]["code"]) == (409, "empty_selection")


def test_viewers_may_only_read(toy: str, api_client: ApiClient, viewer: User) -> None:
    client = api_client(viewer)
    assert client.get(ADDRESS).status_code == 200
    assert client.post(ADDRESS, {"function": "f", "payload": {}}, format="json").status_code == 403
