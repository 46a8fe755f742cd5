"""Pages and admin of schedules: what is seen, who may do what, and that only schedules that make sense are saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from services_registry.batches.schedules import run_due
from services_registry.models import Batch, BatchSchedule, FreezeWindow, ScheduleRun
from tests.batches.test_schedules import toy_schedule

ClientAs = Callable[[User], Client]
Budget = Callable[[int], AbstractContextManager[None]]
ADMIN = "/admin/services_registry/batchschedule/"


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def asked(**changes: Any) -> dict[str, Any]:
    """What the admin's form posts for a new schedule."""
    day, _, clock = timezone.now().strftime("%Y-%m-%d %H:%M:%S").partition(" ")
    return {
        "name": "nightly", "capability": "toy", "selection": '{"keys": ["ok-1", "ok-2", "ok-2"]}', "context": "{}",
        "every_minutes": "120", "jitter_seconds": "60", "priority": "1", "active": "on",
        "next_run_0": day, "next_run_1": clock, "runs-TOTAL_FORMS": "0", "runs-INITIAL_FORMS": "0", **changes,
    }  # fmt: skip


def test_skipped_times_are_seen_with_their_reason_and_batch(toy: str, client_as: ClientAs, viewer: User) -> None:
    schedule = toy_schedule("ok-1")
    run_due()
    run_due(schedule.next_run + timedelta(hours=3))
    client = client_as(viewer)
    listed = page(client, "/batches/schedules/")
    assert f'href="/batches/schedules/{schedule.pk}/"' in listed
    assert '<td class="num" data-label="Skipped, 7 days">2</td>' in listed
    shown = page(client, f"/batches/schedules/{schedule.pk}/")
    assert "Missed 2 times while nothing was running." in shown
    assert "Its batch “play” is still running." in shown
    assert shown.count(f'href="/batches/{Batch.objects.get().pk}/"') == 2  # of the start, and of the skip


def test_operators_run_it_now_once_and_are_told_why_not_again(toy: str, client_as: ClientAs, operator: User) -> None:
    schedule = toy_schedule("ok-1", due=timezone.now() + timedelta(hours=1))
    client = client_as(operator)
    started = client.post(f"/batches/schedules/{schedule.pk}/run/")
    batch = Batch.objects.get()
    assert started.headers["Location"] == f"/batches/{batch.pk}/"
    assert (batch.schedule, batch.created_by, batch.source) == (schedule, operator, "page")
    again = client.post(f"/batches/schedules/{schedule.pk}/run/", follow=True)
    assert "Its batch “play” is still running." in again.content.decode()
    assert Batch.objects.count() == 1
    assert BatchSchedule.objects.get().next_run == schedule.next_run


def test_operators_pause_and_resume_on_the_record(toy: str, client_as: ClientAs, operator: User) -> None:
    schedule = toy_schedule("ok-1")
    client = client_as(operator)
    assert "Paused." in client.post(f"/batches/schedules/{schedule.pk}/pause/", follow=True).content.decode()
    run_due()
    assert not Batch.objects.exists()
    assert "Resumed." in client.post(f"/batches/schedules/{schedule.pk}/resume/", follow=True).content.decode()
    assert BatchSchedule.objects.get().active
    entries = AuditEntry.objects.filter(target=f"services_registry.batchschedule:{schedule.pk}", actor=operator)
    assert set(entries.values_list("verb", flat=True)) == {"schedule.paused", "schedule.resumed"}


def test_viewers_look_and_do_not_touch(toy: str, client_as: ClientAs, viewer: User) -> None:
    schedule = toy_schedule("ok-1")
    client = client_as(viewer)
    assert "Run now" not in page(client, f"/batches/schedules/{schedule.pk}/")
    for action in ("pause", "resume", "run"):
        assert client.post(f"/batches/schedules/{schedule.pk}/{action}/").status_code == 403
    assert BatchSchedule.objects.get().active
    assert not Batch.objects.exists()


def test_the_list_costs_the_same_with_thirty_schedules(
    toy: str, client_as: ClientAs, viewer: User, query_budget: Budget
) -> None:
    client = client_as(viewer)
    for count in (3, 30):
        BatchSchedule.objects.all().delete()
        for number in range(count):
            schedule = toy_schedule(name=f"number {number}")
            ScheduleRun.objects.create(schedule=schedule, due=timezone.now(), result="skipped")
        with query_budget(8):
            assert "number 2" in page(client, "/batches/schedules/")


def test_an_admin_is_told_how_many_items_a_schedule_means(toy: str, client_as: ClientAs, admin_user: User) -> None:
    answer = client_as(admin_user).post(f"{ADMIN}add/", asked(), follow=True)
    assert "It means 2 items now." in answer.content.decode()
    schedule = BatchSchedule.objects.get()
    assert schedule.selection == {"keys": ["ok-1", "ok-2", "ok-2"]}
    entry = AuditEntry.objects.get(verb="schedule.created")
    assert (entry.actor, entry.after and entry.after["every_minutes"]) == (admin_user, 120)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"capability": "no_such_work"}, "not one of the available choices"),
        ({"capability": "fetch_documents", "selection": '{"query": {"colour": "red"}}'}, "Unknown filter: colour."),
        ({"selection": '["ok-1"]'}, "This must be a JSON object."),
        ({"context": "[1]"}, "This must be a JSON object."),
        ({"every_minutes": "0"}, "greater than or equal to 1"),
        ({"every_minutes": "2"}, "At most a third of the interval: 40 seconds."),
    ],
)
def test_a_schedule_that_makes_no_sense_is_not_saved(
    toy: str, client_as: ClientAs, admin_user: User, changes: dict[str, str], words: str
) -> None:
    answer = client_as(admin_user).post(f"{ADMIN}add/", asked(**changes))
    assert words in answer.content.decode()
    assert not BatchSchedule.objects.exists()


def test_the_admin_shows_the_latest_runs_and_changes_none_of_them(
    toy: str, client_as: ClientAs, admin_user: User
) -> None:
    schedule, other = toy_schedule("ok-1"), toy_schedule("ok-1", name="other")
    for number in range(25):
        due = timezone.now() - timedelta(hours=number)
        ScheduleRun.objects.create(schedule=schedule, due=due, result="skipped", note=f"note-{number:02d}")
    ScheduleRun.objects.create(schedule=other, due=timezone.now(), result="skipped", note="of the other one")
    client = client_as(admin_user)
    shown = page(client, f"{ADMIN}{schedule.pk}/change/")
    assert "note-00" in shown and "note-19" in shown
    assert "note-20" not in shown and "of the other one" not in shown
    assert 'name="runs-0-note"' not in shown
    client.post(f"{ADMIN}{schedule.pk}/change/", asked(name="renamed", selection=json.dumps(schedule.selection)))
    schedule.refresh_from_db()
    assert (schedule.name, schedule.runs.count()) == ("renamed", 25)


@pytest.mark.parametrize(
    ("action", "verb"),
    [("start_now", "schedule.run_now"), ("pause", "schedule.paused"), ("resume", "schedule.resumed")],
)
def test_admin_actions_do_what_the_pages_do(
    toy: str, client_as: ClientAs, admin_user: User, action: str, verb: str
) -> None:
    schedule = toy_schedule("ok-1", active=action == "pause")
    client_as(admin_user).post(ADMIN, {"action": action, "_selected_action": [schedule.pk]})
    entry = AuditEntry.objects.get(verb=verb)
    assert (entry.actor, entry.source, entry.summary) == (admin_user, "admin", "play")


def test_a_schedule_is_deleted_with_its_runs_but_its_batches_stay(
    toy: str, client_as: ClientAs, admin_user: User
) -> None:
    schedule = toy_schedule("ok-1")
    run_due()
    client_as(admin_user).post(f"{ADMIN}{schedule.pk}/delete/", {"post": "yes"})
    assert not BatchSchedule.objects.exists()
    assert Batch.objects.get().schedule is None
    entry = AuditEntry.objects.get(verb="schedule.deleted")
    assert entry.before and entry.before["name"] == "play"


def test_freeze_windows_are_set_in_the_admin_and_have_a_length(client_as: ClientAs, admin_user: User) -> None:
    client = client_as(admin_user)
    window = {
        "name": "Christmas",
        "starts_0": "2026-12-23",
        "starts_1": "12:00",
        "ends_0": "2026-12-23",
        "ends_1": "9:00",
    }
    refused = client.post("/admin/services_registry/freezewindow/add/", window)
    assert "It must end after it starts." in refused.content.decode()
    client.post("/admin/services_registry/freezewindow/add/", window | {"ends_0": "2027-01-02"})
    assert FreezeWindow.objects.get().name == "Christmas"
    assert AuditEntry.objects.get(verb="freeze.created").actor == admin_user
