"""The same over REST."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.test import APIClient

from services_registry.models import Batch, Chunk
from tests.batches.test_outcomes import play

ApiClient = Callable[[User], APIClient]
Work = Callable[..., Batch]
ADDRESS = "/api/v1/batches/"


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_plain_run_and_its_answer(toy: str, work: Work, api_client: ApiClient, operator: User) -> None:
    client = api_client(operator)
    made = client.post(ADDRESS, {"function": "toy-batch-function", "payload": {"x": 1}}, format="json").json()
    work(Batch.objects.get())
    chunk = client.get(f"{ADDRESS}{made['id']}/chunks/").json()["results"][0]
    assert chunk["response"] == {"echo": {"x": 1}}


@pytest.mark.slow
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


PLAIN = {"function": "toy-batch-function", "payload": {"x": 1}}
MANY = {"function": "toy-batch-function", "payloads": [{"x": 1}, {"x": 2}, {"x": 3}]}
CHOSEN: dict[str, Any] = {"capability": "toy", "selection": {"keys": ["ok-1", "ok-2"]}}


@pytest.mark.slow
@pytest.mark.parametrize("body", [PLAIN, MANY, CHOSEN], ids=["one payload", "payloads", "capability"])
def test_ten_at_once_with_one_key_make_one_batch(
    body: dict[str, Any], toy: str, api_client: ApiClient, operator: User
) -> None:
    clients = [api_client(operator) for _ in range(10)]
    together = threading.Barrier(10)

    def ask(client: APIClient) -> tuple[int, str]:
        try:
            together.wait(20)
            answer = client.post(ADDRESS, body, format="json", HTTP_IDEMPOTENCY_KEY="same")
            return answer.status_code, answer.json()["id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(ask, clients))
    assert sorted(status for status, _id in answers) == [200] * 9 + [201]
    assert {answered for _status, answered in answers} == {str(Batch.objects.get().pk)}


def test_a_key_used_for_other_work_is_refused(toy: str, api_client: ApiClient, operator: User) -> None:
    client = api_client(operator)
    client.post(ADDRESS, CHOSEN, format="json", HTTP_IDEMPOTENCY_KEY="k")
    answer = client.post(ADDRESS, PLAIN, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_reused")
    long = client.post(ADDRESS, CHOSEN, format="json", HTTP_IDEMPOTENCY_KEY="k" * 121)
    assert (long.status_code, long.json()["error"]["code"]) == (409, "idempotency_key")
    assert Batch.objects.count() == 1


def test_limits_are_taken_over_and_shown(toy: str, api_client: ApiClient, operator: User) -> None:
    client = api_client(operator)
    asked = {"chunk_size": 1, "concurrency": 1, "priority": "high", "max_failed": 3, "max_failed_percent": 20}
    made = client.post(ADDRESS, {**CHOSEN, **asked, "title": "mine", "reason": "asked"}, format="json").json()
    assert {name: made[name] for name in asked} == asked
    assert (made["title"], made["reason"], made["source"]) == ("mine", "asked", "api")
    assert made["plan"]["chunks"] == 2
    assert (made["percent"], made["pending"], made["under_way"]) == (0, 2, {"count": 0, "quiet_at": None})
    listed = client.get(ADDRESS).json()["results"][0]
    assert listed["priority"] == "high" and "selection" not in listed and "plan" not in listed


@pytest.mark.slow
def test_one_payload_each_or_many_in_an_envelope(toy: str, work: Work, api_client: ApiClient, operator: User) -> None:
    client = api_client(operator)
    plain = client.post(ADDRESS, MANY, format="json")
    assert (plain.status_code, plain.json()["total"]) == (201, 3)
    done = work(Batch.objects.get())
    assert (done.succeeded, done.chunks.count()) == (3, 3)
    items = [{"do": "ok"}, {"do": "error"}]
    body = {"function": "toy-batch-function", "payloads": items, "chunked": True, "repeatable": True, "chunk_size": 2}
    packed = client.post(ADDRESS, body, format="json").json()
    over = work(Batch.objects.get(pk=packed["id"]))
    assert (over.succeeded, over.failed, over.repeatable, over.chunks.count()) == (1, 1, True, 1)


@pytest.mark.slow
def test_pause_resume_adjust_and_cancel(toy: str, work: Work, api_client: ApiClient, operator: User) -> None:
    client = api_client(operator)
    batch = play("ok-1", "ok-2")
    address = f"{ADDRESS}{batch.pk}/"
    paused = client.post(f"{address}pause/", {"reason": "lunch"}, format="json").json()
    assert (paused["state"], paused["state_note"]) == ("paused", "lunch")
    changed = client.patch(address, {"priority": "low", "max_failed": 1, "concurrency": 1}, format="json").json()
    assert (changed["priority"], changed["max_failed"], changed["concurrency"]) == ("low", 1, 1)
    assert client.patch(address, {"max_failed": None}, format="json").json()["max_failed"] is None
    assert client.post(f"{address}resume/").json()["state"] == "running"
    work(batch)
    over = client.patch(address, {"priority": "high"}, format="json")
    assert (over.status_code, over.json()["error"]["code"]) == (409, "batch_over")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "non_field_errors"),
        ({"reason": "only that"}, "non_field_errors"),
        ({"concurency": 5}, "concurency"),
        ({"concurrency": 0}, "concurrency"),
        ({"priority": "urgent"}, "priority"),
        ({"max_failed_percent": 101}, "max_failed_percent"),
        ({"state": "done"}, "state"),
    ],
)
def test_changes_that_make_no_sense_are_refused(
    body: dict[str, Any], field: str, toy: str, api_client: ApiClient, operator: User
) -> None:
    batch = play("ok-1")
    answer = api_client(operator).patch(f"{ADDRESS}{batch.pk}/", body, format="json")
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**CHOSEN, "max_faild": 5}, "max_faild"),
        ({**CHOSEN, "payload": {}}, "payload"),
        ({**CHOSEN, "repeatable": True}, "repeatable"),
        ({**PLAIN, "concurrency": 5}, "concurrency"),
        ({**PLAIN, "payloads": [{}]}, "payload"),
        ({**MANY, "selection": {}}, "selection"),
        ({**MANY, "payloads": []}, "payloads"),
        ({"function": "toy-batch-function"}, "payload"),
    ],
)
def test_what_would_have_no_effect_is_refused(
    body: dict[str, Any], field: str, toy: str, api_client: ApiClient, operator: User
) -> None:
    answer = api_client(operator).post(ADDRESS, body, format="json")
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert not Batch.objects.exists()


@pytest.mark.slow
def test_a_retry_is_previewed_and_made_once(toy: str, work: Work, api_client: ApiClient, operator: User) -> None:
    client = api_client(operator)
    batch = work(play("error-1", "error-2", "ok-3"))
    address = f"{ADDRESS}{batch.pk}/"
    preview = client.get(f"{address}retry-preview/").json()
    assert preview == {
        "items": 2,
        "by_error": [{"error_type": "NotFound", "items": 2}],
        "labels": ["toy error-1", "toy error-2"],
        "running": None,
    }
    first = client.post(f"{address}retry/", {}, format="json", HTTP_IDEMPOTENCY_KEY="again")
    second = client.post(f"{address}retry/", {}, format="json", HTTP_IDEMPOTENCY_KEY="again")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"] == client.get(f"{address}retry-preview/").json()["running"]
    refused = client.post(f"{address}retry/", {}, format="json", HTTP_IDEMPOTENCY_KEY="another")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "retry_running")


@pytest.mark.slow
def test_chunks_say_what_a_person_needs_to_find_the_cause(
    toy: str, work: Work, api_client: ApiClient, operator: User
) -> None:
    client = api_client(operator)
    batch = work(play("crash-1", "ok-2"))
    chunks = client.get(f"{ADDRESS}{batch.pk}/chunks/").json()["results"]
    assert len(chunks) == Chunk.objects.count()
    failed = next(chunk for chunk in chunks if chunk["error_type"])
    assert failed["error_type"] == "RuntimeError"
    assert "app.py" in failed["error_stack"] and failed["log_tail"]
    assert failed["seconds"] and failed["billed_ms"] and failed["memory_mb"] == 128
    assert sum(chunk["items_total"] for chunk in chunks if chunk["state"] != "cancelled") >= 2


def test_viewers_may_not_steer(toy: str, api_client: ApiClient, viewer: User) -> None:
    batch = play("ok-1")
    client = api_client(viewer)
    assert client.get(f"{ADDRESS}{batch.pk}/retry-preview/").status_code == 200
    for action in ("pause", "resume", "cancel", "retry"):
        assert client.post(f"{ADDRESS}{batch.pk}/{action}/").status_code == 403
    assert client.patch(f"{ADDRESS}{batch.pk}/", {"priority": "high"}, format="json").status_code == 403


@pytest.mark.slow
def test_the_list_costs_the_same_with_thirty_batches(
    api_client: ApiClient, viewer: User, query_budget: Callable[[int], AbstractContextManager[None]]
) -> None:
    client = api_client(viewer)
    client.get(ADDRESS)
    for count in (3, 30):
        Batch.objects.all().delete()
        Batch.objects.bulk_create(Batch(title=f"number {n}", function_name="f", total=1) for n in range(count))
        with query_budget(3):
            assert len(client.get(ADDRESS, {"q": "number state:running"}).json()["results"]) == count
