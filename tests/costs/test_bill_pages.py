"""Bills by page and by API: looked into first, then put into the figures, and taken back."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from costs.billed import Asked, billed, grand_total
from costs.imports.waiting import SILENT, claimable
from costs.models import BilledCost, CostImport
from costs.tasks import continue_bills, forget_bills, work_on_bill
from tests.costs.bills import import_costs, write_bill

ClientAs = Callable[[User], Client]


def upload(path: Path, *, packed: bool = False) -> SimpleUploadedFile:
    body = path.read_bytes()
    return SimpleUploadedFile(path.name, gzip.compress(body) if packed else body)


def total() -> dict[str, Decimal]:
    return grand_total(billed(Asked()))


def test_a_bill_is_looked_into_before_it_counts(tmp_path: Path, client_as: ClientAs, operator: User) -> None:
    import_costs(write_bill(tmp_path / "a.csv", [{"BilledCost": "10"}]))
    client = client_as(operator)
    file = upload(
        write_bill(tmp_path / "b.csv", [{"BilledCost": "12.50"}, {"BilledCost": "-1", "BillingCurrency": "EUR"}])
    )
    answer = client.post("/costs/imports/new/", {"file": file})
    made = CostImport.objects.get(state="looking")
    assert answer.status_code == 302 and answer["Location"].endswith(f"{made.pk}/")
    assert 'hx-trigger="every 1s"' in client.get(f"/costs/imports/{made.pk}/").content.decode()
    work_on_bill(str(made.pk))
    text = client.get(f"/costs/imports/{made.pk}/").content.decode()
    assert "Nothing is changed yet" in text and "$10.00" in text and "$2.50" in text and "-€1.00" in text
    assert "every 1s" not in text and total() == {"USD": Decimal(10)} and BilledCost.objects.count() == 1
    client.post(f"/costs/imports/{made.pk}/confirm/")
    work_on_bill(str(made.pk))
    assert total() == {"USD": Decimal("12.50"), "EUR": Decimal(-1)}
    text = client.get(f"/costs/imports/{made.pk}/").content.decode()
    assert "What it changed" in text and "Take this bill back" in text and "12.5</code>" in text
    assert b"b.csv" in client.get("/costs/imports/").content
    again = client.post("/costs/imports/new/", {"file": upload(tmp_path / "b.csv")}, follow=True)
    assert "in the figures already" in again.content.decode() and CostImport.objects.count() == 2
    client.post(f"/costs/imports/{made.pk}/undo/", {"reason": "too early"})
    assert total() == {"USD": Decimal(10)}
    refused = client.post(f"/costs/imports/{made.pk}/undo/", follow=True)
    assert "It is not in the figures" in refused.content.decode()


def test_a_bad_bill_says_why_and_can_be_discarded(tmp_path: Path, client_as: ClientAs, operator: User) -> None:
    client = client_as(operator)
    assert client.post("/costs/imports/new/", {"file": SimpleUploadedFile("a.csv", b"")}).status_code == 400
    broken = SimpleUploadedFile("a.csv.gz", gzip.compress(b"x" * 9999)[:-20])
    client.post("/costs/imports/new/", {"file": broken})
    cut = CostImport.objects.get()
    work_on_bill(str(cut.pk))
    assert "damaged or cut off" in client.get(f"/costs/imports/{cut.pk}/").content.decode()
    client.post(f"/costs/imports/{cut.pk}/discard/")
    client.post("/costs/imports/new/", {"file": upload(write_bill(tmp_path / "b.csv", [{"BilledCost": "x"}]))})
    made = CostImport.objects.get()
    work_on_bill(str(made.pk))
    text = client.get(f"/costs/imports/{made.pk}/").content.decode()
    assert "Line 2: BilledCost is no number" in text and "Try again" in text
    client.post(f"/costs/imports/{made.pk}/retry/")
    assert claimable().get() == made
    work_on_bill(str(made.pk))
    client.post(f"/costs/imports/{made.pk}/discard/")
    assert not CostImport.objects.exists()


def test_viewers_read_and_do_not_change(tmp_path: Path, client_as: ClientAs, viewer: User) -> None:
    pk = import_costs(write_bill(tmp_path / "a.csv", [{}]))["import"]
    client = client_as(viewer)
    text = client.get(f"/costs/imports/{pk}/").content.decode()
    assert "By service" in text and "Take this bill back" not in text
    assert client.get("/costs/imports/new/").status_code == 403
    assert client.post(f"/costs/imports/{pk}/undo/").status_code == 403


def test_an_empty_list_says_what_to_do_and_a_full_one_stays_quick(
    tmp_path: Path, client_as: ClientAs, operator: User, query_budget: Callable[[int], AbstractContextManager[None]]
) -> None:
    client = client_as(operator)
    assert b"No bill was taken in yet" in client.get("/costs/imports/").content
    for _ in range(30):
        CostImport.objects.create(name="x.csv", sha256="0" * 64, totals={"USD": {"BilledCost": "1"}})
    with query_budget(9):
        assert client.get("/costs/imports/").status_code == 200


def test_tools_send_bills_and_ask_for_sums(
    tmp_path: Path, api_client: Callable[[User], APIClient], operator: User, viewer: User
) -> None:
    client = api_client(operator)
    rows = [
        {"BilledCost": "1.25", "Tags": '{"capability": "render_pdf"}'},
        {"BilledCost": "2", "ServiceName": "Amazon S3"},
    ]
    file = upload(write_bill(tmp_path / "a.csv", rows), packed=True)
    answer = client.post("/api/v1/costs/imports/", {"file": file, "dry_run": "true"})
    assert answer.status_code == 202, answer.content
    url = f"/api/v1/costs/imports/{answer.json()['id']}/"
    work_on_bill(answer.json()["id"])
    looked = client.get(url).json()
    assert (looked["state"], looked["totals"]["USD"]["BilledCost"]) == ("waiting", "3.25")
    assert client.post(f"{url}confirm/").status_code == 202
    assert client.post(f"{url}confirm/").status_code == 409
    work_on_bill(answer.json()["id"])
    sums = client.get("/api/v1/costs/billed/?by=service,capability&from=2026-10-01&before=2026-11-01").json()
    assert sums["totals"] == {"USD": "3.25"} and not sums["more"]
    assert [(row["values"]["service"], row["costs"]["BilledCost"]) for row in sums["results"]] == [
        ("Amazon S3", "2"), ("AWS Lambda", "1.25"),
    ]  # fmt: skip
    assert client.get("/api/v1/costs/billed/?capability=render_pdf").json()["totals"] == {"USD": "1.25"}
    assert client.get("/api/v1/costs/billed/?by=weather").status_code == 400
    assert client.get("/api/v1/costs/billed/?from=yesterday").status_code == 400
    assert client.post(f"{url}undo/", {"reason": "test"}).json()["state"] == "undone"
    assert client.get("/api/v1/costs/billed/").json()["totals"] == {}
    assert api_client(viewer).post("/api/v1/costs/imports/", {"file": file}).status_code == 403


def test_a_dead_workers_bill_is_done_by_another(tmp_path: Path, client_as: ClientAs, operator: User) -> None:
    client_as(operator).post("/costs/imports/new/", {"file": upload(write_bill(tmp_path / "a.csv", [{}]))})
    made = CostImport.objects.get()
    CostImport.objects.update(state="running", started=timezone.now())
    continue_bills()
    assert not claimable().exists(), "another worker is at it"
    CostImport.objects.update(started=timezone.now() - 2 * SILENT)
    work_on_bill(str(made.pk))
    made.refresh_from_db()
    assert made.state == "done" and total() == {"USD": Decimal(1)}


def test_old_files_go_and_their_sums_stay(tmp_path: Path, client_as: ClientAs, operator: User) -> None:
    client_as(operator).post("/costs/imports/new/", {"file": upload(write_bill(tmp_path / "a.csv", [{}]))})
    made = CostImport.objects.get()
    CostImport.objects.update(state="queued")
    work_on_bill(str(made.pk))
    CostImport.objects.update(created=timezone.now() - timedelta(days=91))
    stored: Any = CostImport.objects.get().file
    forget_bills()
    assert not stored.storage.exists(stored.name) and CostImport.objects.get().file == ""
    assert total() == {"USD": Decimal(1)}
