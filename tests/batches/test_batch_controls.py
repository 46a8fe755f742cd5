"""Pausing, resuming, adjusting, cancelling and retrying from the page: what they say before and do after."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from services_registry.choices import BatchState, ChunkState
from services_registry.models import Batch, Function
from tests.batches.test_outcomes import play

ClientAs = Callable[[User], Client]
Work = Callable[..., Batch]
FRAGMENT = {"HX-Request": "true"}


def test_pause_and_resume_by_button_keep_the_reason(toy: str, client_as: ClientAs, operator: User) -> None:
    batch, client = play("ok-1", "ok-2"), client_as(operator)
    page = client.get(f"/batches/{batch.pk}/").content.decode()
    assert "Pause now" in page and "Resume now" not in page
    said = client.post(f"/batches/{batch.pk}/pause/", {"reason": "out of paper"}, follow=True).content.decode()
    batch.refresh_from_db()
    assert batch.state == BatchState.PAUSED
    assert "Nothing new is invoked" in said and "out of paper" in said and "Resume now" in said
    assert "Pause now" not in said
    client.post(f"/batches/{batch.pk}/resume/", {"reason": "paper is there"})
    batch.refresh_from_db()
    assert batch.state == BatchState.RUNNING
    assert set(AuditEntry.objects.exclude(reason="").values_list("reason", flat=True)) == {
        "out of paper", "paper is there",
    }  # fmt: skip


def test_a_second_pause_says_that_there_was_nothing_to_pause(toy: str, client_as: ClientAs, operator: User) -> None:
    batch, client = play("ok-1"), client_as(operator)
    client.post(f"/batches/{batch.pk}/pause/")
    said = client.post(f"/batches/{batch.pk}/pause/", follow=True).content.decode()
    assert "nothing to pause" in said


def test_limits_are_adjusted_while_it_runs(toy: str, client_as: ClientAs, operator: User) -> None:
    batch, client = play("ok-1"), client_as(operator)
    form = client.get(f"/batches/{batch.pk}/adjust/", headers=FRAGMENT).content.decode()
    assert "<html" not in form and f'value="{batch.concurrency}"' in form
    wanted = {"concurrency": 9, "priority": 16, "max_failed": "", "max_failed_percent": 30, "reason": "hurry"}
    page = client.post(f"/batches/{batch.pk}/adjust/", wanted, follow=True).content.decode()
    batch.refresh_from_db()
    assert (batch.concurrency, batch.priority, batch.max_failed, batch.max_failed_percent) == (9, 16, None, 30)
    assert "at most 9 at once, priority high" in page and "halts when more than 30 % fail" in page
    assert "concurrency 2 → 9" in page and "hurry" in page


def test_a_limit_that_makes_no_sense_is_refused_and_kept_in_the_form(
    toy: str, client_as: ClientAs, operator: User
) -> None:
    batch, client = play("ok-1"), client_as(operator)
    answer = client.post(f"/batches/{batch.pk}/adjust/", {"concurrency": 0, "priority": 4, "reason": "why not"})
    assert answer.status_code == 400
    assert "greater than or equal to 1" in answer.content.decode() and "why not" in answer.content.decode()
    batch.refresh_from_db()
    assert batch.concurrency == 2


def test_cancel_says_what_it_will_do_before_and_when_it_is_quiet_after(
    toy: str, client_as: ClientAs, operator: User
) -> None:
    batch, client = play(*[f"ok-{n}" for n in range(12)]), client_as(operator)
    first = batch.chunks.get(position=0)
    started = timezone.now() - timedelta(seconds=1)
    batch.chunks.filter(pk=first.pk).update(
        state=ChunkState.RUNNING, started=started, lease_until=timezone.now() + timedelta(minutes=1), attempt=1
    )
    over = started + timedelta(seconds=Function.objects.get().timeout_s)
    quiet = over.strftime(":%M:%S")  # the hour is the reader's
    for headers in (FRAGMENT, {}):
        text = client.get(f"/batches/{batch.pk}/cancel/", headers=headers).content.decode()
        assert "8 items that have not begun are cancelled" in text
        assert "1 invocation is under way and cannot be ended" in text and quiet in text
    after = client.post(f"/batches/{batch.pk}/cancel/", {"reason": "wrong day"}, follow=True).content.decode()
    batch.refresh_from_db()
    assert (batch.state, batch.cancelled) == (BatchState.RUNNING, 8)
    assert "being cancelled" in after and quiet in after
    assert "Cancel the rest" not in after
    assert "wrong day" in client.get(f"/batches/{batch.pk}/?chunks=all").content.decode()


@pytest.mark.slow
def test_the_preview_of_a_retry_says_what_it_touches(toy: str, work: Work, client_as: ClientAs, operator: User) -> None:
    batch = work(play("ok-1", "error-2", "error-3", "refused-4"))
    client = client_as(operator)
    text = client.get(f"/batches/{batch.pk}/retry/").content.decode()
    assert 'data-retry-items="3"' in text and "toy error-2" in text and "toy ok-1" not in text
    assert re.search(r"NotFound</a></th><td class=\"num\">2<", text) and re.search(r"Refused</a></th>", text)
    assert "they will fail again" not in text
    key = re.search(r'name="idempotency_key" value="(\w+)"', text)
    assert key
    for _click in range(2):
        client.post(f"/batches/{batch.pk}/retry/", {"idempotency_key": key[1], "reason": "file is there now"})
    assert [(child.total, child.reason) for child in batch.children.all()] == [(3, "file is there now")]
    again = client.get(f"/batches/{batch.pk}/retry/").content.decode()
    assert "already being retried" in again and '<button class="btn btn-primary">Retry' not in again


@pytest.mark.slow
def test_the_preview_warns_when_all_failed_alike(toy: str, work: Work, client_as: ClientAs, operator: User) -> None:
    batch = work(play("error-1", "error-2", "error-3"))
    client = client_as(operator)
    assert "they will fail again" in client.get(f"/batches/{batch.pk}/retry/").content.decode()
    Function.objects.update(last_modified=timezone.now() + timedelta(seconds=5))
    assert "the function was changed since" in client.get(f"/batches/{batch.pk}/retry/").content.decode()


@pytest.mark.slow
def test_the_preview_warns_of_a_stopped_function(toy: str, work: Work, client_as: ClientAs, operator: User) -> None:
    batch = work(play("ok-1", "error-2"))
    Function.objects.update(reserved_concurrency=0)
    assert "is stopped" in client_as(operator).get(f"/batches/{batch.pk}/retry/").content.decode()


@pytest.mark.slow
def test_nothing_failed_offers_no_retry(toy: str, work: Work, client_as: ClientAs, operator: User) -> None:
    batch, client = work(play("ok-1")), client_as(operator)
    text = client.get(f"/batches/{batch.pk}/retry/").content.decode()
    assert "Nothing failed" in text and 'name="idempotency_key"' not in text
    assert "nothing to retry" in client.post(f"/batches/{batch.pk}/retry/", follow=True).content.decode()


@pytest.mark.parametrize("deed", ["pause", "resume", "adjust", "cancel", "retry"])
def test_viewers_are_refused_and_see_no_button(toy: str, client_as: ClientAs, viewer: User, deed: str) -> None:
    batch, client = play("ok-1"), client_as(viewer)
    assert f"/{deed}/" not in client.get(f"/batches/{batch.pk}/").content.decode()
    assert client.post(f"/batches/{batch.pk}/{deed}/").status_code == 403
    if deed not in {"pause", "resume"}:
        assert client.get(f"/batches/{batch.pk}/{deed}/").status_code == 403
    else:
        assert client.get(f"/batches/{batch.pk}/{deed}/").status_code in {403, 405}
    batch.refresh_from_db()
    assert batch.state == BatchState.RUNNING
