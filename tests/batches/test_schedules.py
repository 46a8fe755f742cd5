"""Schedules start a batch when it is due: once, on a grid, never beside their own last one; and say what they did not do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from core import slots
from services_registry import capabilities, tasks
from services_registry.batches.schedules import items_meant, resume_schedule, run_due, starts_at
from services_registry.choices import BatchState, Priority
from services_registry.models import Batch, BatchSchedule, ScheduleRun
from shipments.completeness.refresh import refresh
from shipments.models import Carrier, Document, DocumentRule, Shipment

Work = Callable[..., Batch]
HOUR = timedelta(hours=1)


def toy_schedule(*keys: str, due: datetime | None = None, **values: Any) -> BatchSchedule:
    """Every hour, due a minute ago, without jitter."""
    given = {"name": "play", "capability": "toy", "every_minutes": 60, "jitter_seconds": 0, **values}
    due = due or timezone.now() - timedelta(minutes=1)
    return BatchSchedule.objects.create(selection={"keys": list(keys)}, next_run=due, **given)


def results_of(schedule: BatchSchedule) -> list[tuple[str, str]]:
    """(result, note) of its runs, oldest first."""
    return list(schedule.runs.order_by("due").values_list("result", "note"))


def test_beat_asks_twice_a_minute() -> None:
    entry: dict[str, Any] = settings.CELERY_BEAT_SCHEDULE["run-schedules"]
    assert entry["task"] == tasks.run_schedules.name
    assert entry["schedule"].run_every == timedelta(seconds=30)


@pytest.mark.slow
def test_a_due_schedule_starts_its_batch_for_its_owner(toy: str, operator: User, work: Work) -> None:
    schedule = toy_schedule("ok-1", "ok-2", owner=operator, priority=Priority.LOW, context={"note": "x"})
    tasks.run_schedules()
    batch = work(Batch.objects.get())
    assert (batch.schedule, batch.source, batch.created_by, batch.priority) == (schedule, "schedule", operator, 1)
    assert (batch.title, batch.context, batch.succeeded) == ("play", {"note": "x"}, 2)
    assert [(run.result, run.batch, run.due) for run in schedule.runs.all()] == [("started", batch, schedule.next_run)]
    tasks.run_schedules()
    assert Batch.objects.count() == 1


def test_two_workers_at_once_start_one_batch(toy: str) -> None:
    schedule = toy_schedule("ok-1")
    together = threading.Barrier(4)

    def look() -> None:
        together.wait()
        try:
            run_due()
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Batch.objects.count() == 1
    assert results_of(schedule) == [("started", "")]


@pytest.mark.slow
def test_it_never_overlaps_with_itself_and_the_skipped_time_names_the_batch(toy: str, work: Work) -> None:
    schedule = toy_schedule("ok-1")
    run_due()
    batch = Batch.objects.get()
    Batch.objects.update(state=BatchState.PAUSED)
    due = schedule.next_run
    run_due(due + HOUR)
    skipped = schedule.runs.get(due=due + HOUR)
    assert (skipped.result, skipped.batch, skipped.note) == ("skipped", batch, "Its batch “play” is still paused.")
    Batch.objects.update(state=BatchState.RUNNING)
    work(batch)
    run_due(due + 2 * HOUR)
    assert [result for result, _note in results_of(schedule)] == ["started", "skipped", "started"]


def test_the_grid_does_not_drift(toy: str) -> None:
    schedule = toy_schedule("ok-1")
    first = schedule.next_run
    run_due(first + timedelta(minutes=7))
    schedule.refresh_from_db()
    assert schedule.next_run == first + HOUR


def test_times_missed_while_nothing_ran_are_one_line_and_are_not_made_up_for(toy: str) -> None:
    schedule = toy_schedule("ok-1")
    first = schedule.next_run
    run_due(first + 5 * HOUR + timedelta(minutes=1))
    assert Batch.objects.count() == 1
    assert results_of(schedule) == [("skipped", "Missed 5 times while nothing was running."), ("started", "")]
    assert list(schedule.runs.order_by("due").values_list("due", flat=True)) == [first, first + 5 * HOUR]
    schedule.refresh_from_db()
    assert schedule.next_run == first + 6 * HOUR


def test_jitter_delays_a_start_by_the_same_time_for_every_worker_and_leaves_the_grid_alone(toy: str) -> None:
    schedule = toy_schedule("ok-1", jitter_seconds=600)
    first, start = schedule.next_run, starts_at(schedule)
    assert first < start <= first + timedelta(seconds=600)
    assert start == starts_at(BatchSchedule.objects.get())
    assert run_due(start - timedelta(seconds=1)) == []
    assert [run.due for run in run_due(start)] == [first]
    schedule.refresh_from_db()
    assert schedule.next_run == first + HOUR
    assert starts_at(schedule) - schedule.next_run != start - first


def test_nothing_to_do_is_no_failure(toy: str) -> None:
    schedule = toy_schedule()
    run_due()
    assert [result for result, _note in results_of(schedule)] == ["empty"]
    assert not Batch.objects.exists()


def test_schedules_that_cannot_start_say_why_and_hold_up_no_other(toy: str) -> None:
    unknown = toy_schedule("ok-1", name="a", capability="no_such_work")
    broken = toy_schedule(name="b")
    BatchSchedule.objects.filter(pk=broken.pk).update(selection={"nonsense": 1})  # the toy raises KeyError
    fine = toy_schedule("ok-1", name="c")
    tasks.run_schedules()
    [(result, note)] = results_of(unknown)
    assert result == "failed" and "no_such_work" in note
    [(result, note)] = results_of(broken)
    assert result == "failed" and "KeyError" in note
    assert results_of(fine) == [("started", "")]


@pytest.mark.slow
def test_a_time_that_comes_up_again_after_a_crash_is_the_same_batch(toy: str, work: Work) -> None:
    schedule = toy_schedule("ok-1")
    due = schedule.next_run
    run_due()
    batch = work(Batch.objects.get())
    ScheduleRun.objects.all().delete()  # as if the record had been lost
    BatchSchedule.objects.update(next_run=due)
    run_due()
    assert schedule.runs.get().batch == batch
    assert Batch.objects.count() == 1


def test_a_paused_schedule_starts_nothing_and_what_passed_meanwhile_was_not_missed(toy: str, operator: User) -> None:
    now = timezone.now()
    schedule = toy_schedule("ok-1", active=False, due=now - 5 * HOUR - timedelta(minutes=1))
    assert run_due() == []
    assert resume_schedule(schedule, actor=operator, source="test")
    schedule.refresh_from_db()
    assert schedule.next_run == now + HOUR - timedelta(minutes=1)
    assert run_due() == []


def test_runs_older_than_ninety_days_are_forgotten(toy: str) -> None:
    schedule = toy_schedule("ok-1")
    old = schedule.next_run - timedelta(days=91)
    ScheduleRun.objects.create(schedule=schedule, due=old, result="empty")
    run_due()
    assert results_of(schedule) == [("started", "")]


@pytest.mark.django_db
def test_missing_proofs_of_delivery_of_one_carrier_can_be_selected() -> None:
    carriers = [Carrier.objects.create(code=code, name=code) for code in ("one", "two")]
    for carrier in carriers:
        for number, status in enumerate(("delivered", "delivered", "in_transit")):
            Shipment.objects.create(carrier=carrier, tracking_number=f"T{number}", status=status)
    had = Shipment.objects.filter(carrier=carriers[0], tracking_number="T0").get()
    Document.objects.create(shipment=had, type="proof_of_delivery", sha256="0" * 64, name="a.pdf", bytes=1)
    DocumentRule.objects.create(document_type="proof_of_delivery", from_status="delivered", valid_from="2020-01-01")
    refresh(Shipment.objects.values_list("pk", flat=True))
    query = {"status": "delivered", "missing": "proof_of_delivery", "carrier": "one"}
    resolved = capabilities.get("fetch_documents").resolve({"query": query})
    assert [item.label for item in resolved] == ["T1"]
    assert items_meant("fetch_documents", {"query": {"missing": "proof_of_delivery", "status": "delivered"}}) == 3


@pytest.mark.django_db
def test_the_sample_schedule_is_marked_sleeps_and_makes_sense() -> None:
    step = next(step for step in slots.setup_steps if step.name == "sample-schedule")
    assert step.sample_only
    for _start in range(2):
        step.run(lambda text: None)
    schedule = BatchSchedule.objects.get()
    assert (schedule.active, schedule.every_minutes) == (False, 120)
    assert "sample" in schedule.name.lower()
    assert items_meant(schedule.capability, schedule.selection) == 0
