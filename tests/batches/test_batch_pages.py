"""The pages: plan, confirm, watch, retry, cancel; and who may."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager

from django.contrib.auth.models import User
from django.test import Client

from services_registry.models import Batch
from tests.batches.test_outcomes import play

ClientAs = Callable[[User], Client]
Work = Callable[..., Batch]
Budget = Callable[[int], AbstractContextManager[None]]


def test_plan_confirm_watch(toy: str, work: Work, client_as: ClientAs, operator: User) -> None:
    client = client_as(operator)
    page = client.post("/batches/plan/", {"capability": "toy", "keys": ["ok-1", "ok-2", "error-3"]})
    text = page.content.decode()
    assert 'data-plan-items="3"' in text
    key = re.search(r'name="idempotency_key" value="(\w+)"', text)
    assert key
    confirmed = {
        "capability": "toy", "idempotency_key": key[1], "reason": "a customer asked",
        "selection": json.dumps({"keys": ["ok-1", "ok-2", "error-3"]}),
    }  # fmt: skip
    started = client.post("/batches/start/", confirmed)
    again = client.post("/batches/start/", confirmed)
    batch = Batch.objects.get()
    assert started.headers["Location"] == again.headers["Location"] == f"/batches/{batch.pk}/"
    live = client.get(f"/batches/{batch.pk}/").content.decode()
    assert "every 1s" in live and 'data-title-percent="0"' in live
    work(batch)
    final = client.get(f"/batches/{batch.pk}/").content.decode()
    assert "every 1s" not in final and "NotFound" in final and "a customer asked" in final
    poll = client.get(f"/batches/{batch.pk}/", headers={"HX-Request": "true"})
    assert poll.headers["HX-Refresh"] == "true"
    assert "<html" not in poll.content.decode()


def test_items_are_filtered_by_state(toy: str, work: Work, client_as: ClientAs, viewer: User) -> None:
    batch = work(play("ok-1", "error-2"))
    text = client_as(viewer).get(f"/batches/{batch.pk}/?state=failed").content.decode()
    assert "toy error-2" in text and "toy ok-1" not in text


def test_retry_by_button_states_the_number(toy: str, work: Work, client_as: ClientAs, operator: User) -> None:
    batch = work(play("ok-1", "error-2", "error-3"))
    client = client_as(operator)
    assert "exactly 2 failed items" in client.get(f"/batches/{batch.pk}/").content.decode()
    key = {"idempotency_key": "retry-once"}
    client.post(f"/batches/{batch.pk}/retry/", key)
    client.post(f"/batches/{batch.pk}/retry/", key)
    assert [child.total for child in batch.children.all()] == [2]


def test_viewers_look_and_do_not_touch(toy: str, client_as: ClientAs, viewer: User) -> None:
    batch = play("ok-1")
    client = client_as(viewer)
    assert client.get("/batches/").status_code == 200
    assert "Cancel the rest" not in client.get(f"/batches/{batch.pk}/").content.decode()
    for address in ("plan/", "start/", f"{batch.pk}/cancel/", f"{batch.pk}/retry/"):
        assert client.post(f"/batches/{address}").status_code == 403


def test_cancel_by_button(toy: str, client_as: ClientAs, operator: User) -> None:
    batch = play("ok-1")
    client_as(operator).post(f"/batches/{batch.pk}/cancel/", {"reason": "wrong day"})
    batch.refresh_from_db()
    assert (batch.state, batch.cancelled) == ("cancelled", 1)


def test_nothing_selected_is_said_in_words(toy: str, client_as: ClientAs, operator: User) -> None:
    page = client_as(operator).post("/batches/plan/", {"capability": "toy"})
    assert page.status_code == 409
    assert "Nothing is selected" in page.content.decode()


def test_the_list_costs_the_same_with_thirty_batches(
    toy: str, client_as: ClientAs, viewer: User, query_budget: Budget
) -> None:
    client = client_as(viewer)
    for count in (3, 30):
        Batch.objects.all().delete()
        Batch.objects.bulk_create(Batch(title=f"number {n}", function_name="f", total=1) for n in range(count))
        with query_budget(8):
            assert client.get("/batches/").status_code == 200


def test_the_home_panel_shows_running_and_failed(toy: str, work: Work, client_as: ClientAs, viewer: User) -> None:
    work(play("error-1", title="went wrong"))
    play("ok-1", title="under way")
    text = client_as(viewer).get("/batches/home/").content.decode()
    assert "went wrong" in text and "under way" in text
