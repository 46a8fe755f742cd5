"""The pages: plan, confirm, watch, retry, cancel; and who may."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from services_registry.models import Batch
from tests.batches.test_outcomes import play

ClientAs = Callable[[User], Client]
Work = Callable[..., Batch]
Budget = Callable[[int], AbstractContextManager[None]]


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_poll_is_quiet_until_the_state_changes(toy: str, work: Work, client_as: ClientAs, operator: User) -> None:
    batch, client = play("ok-1", "error-2"), client_as(operator)
    address = f"/batches/{batch.pk}/"
    poll = client.get(address, {"seen": "running"}, headers={"HX-Request": "true"})
    assert "HX-Trigger" not in poll.headers
    assert "batch-actions" not in poll.content.decode() and "<html" not in poll.content.decode()
    work(batch)
    poll = client.get(address, {"seen": "running"}, headers={"HX-Request": "true"})
    text = poll.content.decode()
    assert poll.headers["HX-Trigger"] == "batch-changed"
    assert "every 1s" not in text and "data-final" in text
    assert "Retry 1 failed item" in text and "Pause now" not in text


@pytest.mark.slow
def test_what_went_wrong_is_said_by_type_with_an_example(
    toy: str, work: Work, client_as: ClientAs, viewer: User
) -> None:
    batch = work(play("ok-1", "error-2", "error-3", "error-4", "refused-5", "crash-6"))
    text = client_as(viewer).get(f"/batches/{batch.pk}/").content.decode()
    report = text[text.index("What went wrong") : text.index('id="chunks"')]
    found = re.findall(r">(\w+)</a></th>.*?text-danger\">(\d+)<", report, re.DOTALL)
    assert found[0] == ("NotFound", "3")
    assert {"Refused", "RuntimeError"} <= {kind for kind, _count in found}
    assert "asked to fail" in report and "the toy does not take this" in report


@pytest.mark.slow
def test_an_answer_in_which_all_items_failed_is_no_success(
    toy: str, work: Work, client_as: ClientAs, viewer: User
) -> None:
    batch = work(play("error-1", "error-2", "ok-3", chunk_size=2))
    text = client_as(viewer).get(f"/batches/{batch.pk}/?chunks=all").content.decode()
    assert "answered, all 2 items failed" in text
    trouble = client_as(viewer).get(f"/batches/{batch.pk}/").content.decode()
    assert len(re.findall(r"\?chunk=\d+#chunks\">\d+</a></th>", trouble)) == 1, "only the chunk that needs a look"


@pytest.mark.slow
def test_one_chunk_is_shown_with_its_log_and_its_items(toy: str, work: Work, client_as: ClientAs, viewer: User) -> None:
    batch, client = work(play("ok-1", "ok-2", "error-3", chunk_size=2)), client_as(viewer)
    alone = client.get(f"/batches/{batch.pk}/?chunk=2").content.decode()
    assert "toy error-3" in alone and "toy ok-1" not in alone
    assert batch.chunks.get(position=1).request_id in alone and "REPORT RequestId" in alone
    opened = client.get(f"/batches/{batch.pk}/chunks/1/", headers={"HX-Request": "true"}).content.decode()
    assert "REPORT RequestId" in opened and "<html" not in opened
    assert client.get(f"/batches/{batch.pk}/chunks/1/").headers["Location"] == f"/batches/{batch.pk}/?chunk=2#chunks"
    assert client.get(f"/batches/{batch.pk}/chunks/99/").status_code == 404


@pytest.mark.slow
def test_the_durations_stand_beside_the_time_out_and_the_plan(
    toy: str, work: Work, client_as: ClientAs, viewer: User
) -> None:
    batch = work(play("ok-1", "ok-2", "ok-3"))
    Batch.objects.filter(pk=batch.pk).update(plan={"chunk_seconds": 0.5, "chunk_seconds_p95": 1.5})
    text = client_as(viewer).get(f"/batches/{batch.pk}/durations/").content.decode()
    assert "time-out 2.0 s" in text and "planned p95" in text and "Slowest chunks" in text


def test_a_chunk_that_aws_puts_off_is_said_with_its_next_try(toy: str, client_as: ClientAs, viewer: User) -> None:
    batch = play("ok-1", "ok-2", chunk_size=1)
    later = timezone.now() + timedelta(seconds=30)
    batch.chunks.filter(position=0).update(waits=2, not_before=later)
    text = client_as(viewer).get(f"/batches/{batch.pk}/").content.decode()
    clock = later.strftime(":%M:%S")  # the hour is the reader's
    assert "AWS put 1 chunk off (throttled)" in text
    text += client_as(viewer).get(f"/batches/{batch.pk}/?chunks=all").content.decode()
    assert len(re.findall(rf"next try[^<]*(?:<strong>)?[0-9 -]+{clock}", text)) == 3


@pytest.mark.slow
def test_items_are_filtered_by_state(toy: str, work: Work, client_as: ClientAs, viewer: User) -> None:
    batch = work(play("ok-1", "error-2"))
    text = client_as(viewer).get(f"/batches/{batch.pk}/?state=failed").content.decode()
    assert "toy error-2" in text and "toy ok-1" not in text


@pytest.mark.slow
def test_retry_by_button_states_the_number(toy: str, work: Work, client_as: ClientAs, operator: User) -> None:
    batch = work(play("ok-1", "error-2", "error-3"))
    client = client_as(operator)
    assert "Retry 2 failed items" in client.get(f"/batches/{batch.pk}/").content.decode()
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


@pytest.mark.slow
def test_the_home_panel_shows_running_and_failed(toy: str, work: Work, client_as: ClientAs, viewer: User) -> None:
    work(play("error-1", title="went wrong"))
    play("ok-1", title="under way")
    text = client_as(viewer).get("/batches/home/").content.decode()
    assert "went wrong" in text and "under way" in text
