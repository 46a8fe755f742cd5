"""From a chosen file to deliveries: look, say what the columns mean, watch, mend what was refused, send it again."""

from __future__ import annotations

import gzip
import random
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from shipments.deliveries import runs
from shipments.models import Carrier, ColumnMapping, ImportRun, Shipment
from shipments.tasks import run_import

pytestmark = pytest.mark.django_db
KNOWN = b"carrier,tracking_number,weight_kg\nacme,A1,2.5\nacme,A2,heavy\n"
STRANGE = b"Colis;Quand;Poids\nA1;23.11.2026;2,5\nA2;24.11.2026;3\n"


@pytest.fixture
def client(client_as: Any, operator: User) -> Client:
    found: Client = client_as(operator)
    return found


def send(client: Client, content: bytes, name: str = "rows.csv") -> ImportRun:
    answer = client.post("/deliveries/upload/", {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.content
    return ImportRun.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])


def address(run: ImportRun, step: str = "") -> str:
    return f"/deliveries/imports/{run.pk}/{step}"


def begin(client: Client, run: ImportRun, **columns: str) -> ImportRun:
    answer = client.post(address(run, "start/"), {"start": "1", **columns})
    assert answer.status_code == 302, answer.content
    run_import(str(run.pk))
    run.refresh_from_db()
    return run


OURS = {"c0": "carrier", "c1": "tracking_number", "c2": "weight_kg"}


def test_a_file_with_our_columns_is_shown_first_and_then_imported(client: Client) -> None:
    run = send(client, KNOWN)
    page = client.get(address(run))
    assert [field.value() for field in page.context["form"].columns()] == list(OURS.values())
    assert page.context["bad"] == 1
    assert b"is not a weight" in page.content
    assert Shipment.objects.count() == 0
    run = begin(client, run, **OURS)
    assert (run.state, run.rows, run.created_count, run.refused_count) == ("done", 2, 1, 1)
    assert run.bytes_done == run.bytes_total == len(KNOWN)
    page = client.get(address(run))
    assert b"data-final" in page.content
    assert b"every 1s" not in page.content


def test_refused_rows_are_downloaded_mended_and_sent_again_as_they_are(client: Client) -> None:
    run = begin(client, send(client, KNOWN), **OURS)
    download: Any = client.get(address(run, "refused/"))
    assert "rows-refused.csv" in download["Content-Disposition"]
    mended = b"".join(download.streaming_content).replace(b"heavy", b"7")
    again = send(client, mended, "mended.csv")
    page = client.get(address(again))
    assert page.context["mapping"] is not None
    assert page.context["complaint"] == ""
    again = begin(client, again, **OURS)
    assert (again.created_count, again.refused_count) == (1, 0)
    assert Shipment.objects.get(tracking_number="A2").parcels[0]["weight_kg"] == "7"


def test_strange_columns_are_chosen_once_and_remembered_with_their_carrier(client: Client) -> None:
    acme = Carrier.objects.create(code="acme", name="Acme")
    run = send(client, STRANGE)
    assert "tracking number" in client.get(address(run)).context["complaint"]
    refused = client.post(address(run, "start/"), {"start": "1", "c0": "tracking_number"})
    assert refused.status_code == 400
    assert b"Choose the column that names the carrier" in refused.content
    chosen = {"c0": "tracking_number", "c1": "promised", "c2": "", "carrier": str(acme.pk)}
    shown = client.post(address(run, "start/"), chosen, headers={"HX-Request": "true"})
    assert b"<html" not in shown.content
    assert b"2026-11-23" in shown.content
    assert begin(client, run, **chosen).created_count == 2
    assert ColumnMapping.objects.get().columns == {"Colis": "tracking_number", "Quand": "promised", "Poids": ""}
    page = client.get(address(send(client, STRANGE.replace(b"Colis", b"COLIS") + b"A3;25.11.2026;1\n")))
    assert page.context["complaint"] == ""
    assert page.context["form"].initial["carrier"] == acme


def test_two_columns_for_one_field_are_refused_before_anything_is_imported(client: Client) -> None:
    run = send(client, KNOWN)
    answer = client.post(address(run, "start/"), {"start": "1", **OURS, "c2": "tracking_number"})
    assert answer.status_code == 400
    assert b"Two columns are both said to be tracking_number" in answer.content
    assert client.post(address(run, "start/"), {"start": "1", **OURS, "c2": "nonsense"}).status_code == 400
    run.refresh_from_db()
    assert run.state == "waiting"


def test_the_same_file_again_says_so_and_costs_nothing(client: Client) -> None:
    begin(client, send(client, KNOWN), **OURS)
    again = send(client, KNOWN)
    assert b"already imported" in client.get(address(again)).content
    again = begin(client, again, **OURS)
    assert (again.created_count, again.unchanged_count) == (0, 1)


@pytest.mark.parametrize("content", [b"   \n", b"%PDF-1.7 x", b"PK\x03\x04zip", b'[{"carrier": "acme"}]', b"\x1f\x8bx"])
def test_a_file_that_is_none_is_a_clear_form_error_and_not_kept(client: Client, content: bytes) -> None:
    answer = client.post("/deliveries/upload/", {"file": SimpleUploadedFile("x.bin", content)})
    assert answer.status_code == 400
    assert answer.context["form"].errors["file"]
    assert ImportRun.objects.count() == 0


def test_no_file_chosen_is_a_form_error(client: Client) -> None:
    assert client.post("/deliveries/upload/", {}).context["form"].errors["file"]


def test_a_waiting_file_can_be_discarded_and_a_started_one_not(client: Client, settings: Any) -> None:
    run = send(client, KNOWN)
    assert client.post(address(run, "discard/")).status_code == 302
    assert ImportRun.objects.count() == 0
    run = begin(client, send(client, KNOWN), **OURS)
    client.post(address(run, "discard/"))
    assert ImportRun.objects.filter(pk=run.pk).exists()


def test_ndjson_with_nested_parties_needs_no_mapping(client: Client) -> None:
    body = b'{"carrier": "acme", "tracking": "A1", "recipient": {"city": "Lyon", "country": "FR"}}\n'
    run = send(client, body, "rows.ndjson")
    page = client.get(address(run))
    chosen = {field.html_name: field.value() for field in page.context["form"].columns()}
    assert begin(client, run, **chosen).created_count == 1
    assert Shipment.objects.get().recipient["city"] == "Lyon"


def test_of_a_long_packed_file_only_the_beginning_is_looked_at(client: Client) -> None:
    chance = random.Random(1)  # noqa: S311  # made-up rows, nothing secret
    rows = "".join(f"acme,A{number},{chance.random()}{chance.random()}\n" for number in range(60_000))
    packed = gzip.compress(f"carrier,tracking_number,notes\n{rows}".encode())
    assert len(packed) > runs.HEAD_BYTES
    run = send(client, packed, "rows.csv.gz")
    with default_storage.open(f"imports/{run.pk}-head") as head:
        assert len(head.read()) == runs.HEAD_BYTES
    assert len(client.get(address(run)).context["lines"]) == 20


def test_a_viewer_may_watch_and_not_send(client_as: Any, viewer: User, client: Client) -> None:
    run = send(client, KNOWN)
    looker = client_as(viewer)
    assert looker.get(address(run)).status_code == 200
    assert looker.get("/deliveries/imports/").status_code == 200
    for path in ("/deliveries/upload/", address(run, "start/"), address(run, "discard/"), address(run, "retry/")):
        assert looker.post(path, {}).status_code == 403
    assert looker.get(address(run, "refused/")).status_code == 403


def test_list_and_polled_part_stay_within_their_queries(client: Client, query_budget: Any) -> None:
    for _number in range(30):
        ImportRun.objects.create(name="a.csv", file="x", sha256="x", created_by_name="ana")
    run = ImportRun.objects.create(name="b.csv", file="x", sha256="x", state="running", bytes_total=100, bytes_done=40)
    with query_budget(8):
        assert client.get("/deliveries/imports/").status_code == 200
    with query_budget(6):
        answer = client.get(address(run), headers={"HX-Request": "true"})
    assert b"40 %" in answer.content
    assert b"<html" not in answer.content


def test_api_takes_a_file_and_answers_with_its_run(api_client: Any, operator: User) -> None:
    client = api_client(operator)
    answer = client.post("/api/v1/imports/", {"file": SimpleUploadedFile("a.csv", KNOWN)}, format="multipart")
    assert answer.status_code == 202
    run_import(answer.json()["id"])
    found = client.get(f"/api/v1/imports/{answer.json()['id']}/").json()
    assert (found["state"], found["created_count"], found["first_errors"][0]["line"]) == ("done", 1, 3)
    assert client.get("/api/v1/imports/").json()["results"][0]["id"] == found["id"]
    assert b"heavy" in b"".join(client.get(f"/api/v1/imports/{found['id']}/refused/").streaming_content)


def test_api_refuses_columns_that_nobody_has_explained(api_client: Any, operator: User, viewer: User) -> None:
    client = api_client(operator)
    answer = client.post("/api/v1/imports/", {"file": SimpleUploadedFile("a.csv", STRANGE)}, format="multipart")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unmapped_columns")
    assert ImportRun.objects.count() == 0
    assert client.post("/api/v1/imports/", {}, format="multipart").json()["error"]["code"] == "no_file"
    assert api_client(viewer).post("/api/v1/imports/", {}, format="multipart").status_code == 403
