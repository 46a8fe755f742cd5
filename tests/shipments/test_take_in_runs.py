"""A run survives its worker: another goes on behind the last batch, and nothing is counted twice."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from core.models import AuditEntry
from shipments.deliveries import importer, runs
from shipments.deliveries.retention import purge_import_files
from shipments.deliveries.sample_of import propose
from shipments.deliveries.upsert import upsert as real_upsert
from shipments.models import ImportRun, Shipment
from shipments.tasks import run_import

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "ROWS_AT_ONCE", 10)


def queued(operator: User, rows: int = 45, bad_every: int = 9) -> ImportRun:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["carrier", "tracking_number", "weight_kg"])
    for number in range(rows):
        writer.writerow(["acme", f"A{number}", "heavy" if number % bad_every == 0 else "2"])
    file = SimpleUploadedFile("rows.csv", text.getvalue().encode())
    run, sample = runs.receive(file, actor=operator)
    runs.start(run, sample, propose(sample).meanings, actor=operator)
    return ImportRun.objects.get(pk=run.pk)


class Killed(BaseException):
    """As when a worker is killed: nothing is tidied up."""


def die_after(monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
    seen = iter(range(100))

    def upsert(*args: Any, **values: Any) -> Any:
        if next(seen) == batches:
            raise Killed
        return real_upsert(*args, **values)

    monkeypatch.setattr(importer, "upsert", upsert)


def test_another_worker_goes_on_behind_the_last_batch(operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queued(operator)
    with monkeypatch.context() as patched:
        die_after(patched, 2)
        with pytest.raises(Killed):
            run_import(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.created_count, Shipment.objects.count()) == ("running", 20, 20)
    run_import(str(run.pk))
    assert Shipment.objects.count() == 20, "its worker was heard of a moment ago"
    ImportRun.objects.update(heartbeat=timezone.now() - timedelta(seconds=61))
    run_import(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.rows, run.created_count, run.unchanged_count, run.refused_count) == ("done", 45, 40, 0, 5)
    refused = run.error_file.open("rb").read().decode().splitlines()
    assert len(refused) == 6
    assert AuditEntry.objects.filter(verb="shipments.imported").count() == 1


def test_who_lost_a_run_writes_nothing_more(operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queued(operator)

    def upsert(*args: Any, **values: Any) -> Any:
        if Shipment.objects.count() == 10:  # somebody else took it over meanwhile
            ImportRun.objects.filter(pk=run.pk).update(heartbeat=timezone.now() + timedelta(seconds=1))
        return real_upsert(*args, **values)

    monkeypatch.setattr(importer, "upsert", upsert)
    assert not runs.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.created_count, Shipment.objects.count()) == ("running", 10, 10)


def test_a_run_done_is_not_done_again_and_an_unknown_one_ends_quietly(operator: User) -> None:
    run = queued(operator)
    assert runs.work(run.pk)
    assert not runs.work(run.pk)
    assert not runs.work("00000000-0000-0000-0000-000000000000")


def test_a_lost_file_fails_with_a_reason_and_can_be_tried_again(operator: User, client_as: Any, settings: Any) -> None:
    run = queued(operator)
    content = run.file.open("rb").read()
    run.file.storage.delete(str(run.file.name))
    run_import(str(run.pk))
    run.refresh_from_db()
    assert (run.state, "no longer kept" in run.problem) == ("failed", True)
    page = client_as(operator).get(f"/deliveries/imports/{run.pk}/")
    assert b"Go on with this import" in page.content
    run.file.storage.save(run.file.name, SimpleUploadedFile("x", content))
    client_as(operator).post(f"/deliveries/imports/{run.pk}/retry/")
    run_import(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.created_count, run.problem) == ("done", 40, "")


def test_an_unforeseen_error_is_on_the_page_and_in_the_log(operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queued(operator)

    def broken(*args: Any, **values: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(importer, "clean", broken)
    with pytest.raises(ZeroDivisionError):
        run_import(str(run.pk))
    run.refresh_from_db()
    assert (run.state, "ZeroDivisionError" in run.problem) == ("failed", True)


def test_runs_that_nobody_works_on_are_found(operator: User) -> None:
    run = queued(operator)
    assert run in runs.claimable()
    ImportRun.objects.update(state="running", heartbeat=timezone.now())
    assert run not in runs.claimable()
    ImportRun.objects.update(heartbeat=timezone.now() - timedelta(minutes=2))
    assert run in runs.claimable()


def test_files_of_old_imports_go_and_their_counts_stay(operator: User) -> None:
    old, recent, going = queued(operator), queued(operator, rows=46), queued(operator, rows=47)
    for run in (old, recent):
        run_import(str(run.pk))
    ImportRun.objects.exclude(pk=recent.pk).update(created=timezone.now() - timedelta(days=91))
    old.refresh_from_db()
    kept = [str(old.file.name), str(old.error_file.name)]
    assert all(default_storage.exists(name) for name in kept)
    for removed in (1, 0):
        assert purge_import_files() == removed
    old.refresh_from_db()
    assert (old.file.name, old.error_file.name, old.rows, old.refused_count) == ("", "", 45, 5)
    assert not any(default_storage.exists(name) for name in kept)
    assert all(default_storage.exists(str(ImportRun.objects.get(pk=run.pk).file.name)) for run in (recent, going))
    ImportRun.objects.filter(pk=old.pk).update(state="queued")
    run_import(str(old.pk))
    assert "no longer kept" in ImportRun.objects.get(pk=old.pk).problem
