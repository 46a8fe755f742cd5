"""What people take away: the list and the items as CSV, the results as one archive."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pypdf import PdfWriter
from rest_framework.test import APIClient

from services_registry.models import Batch, BatchItem, Chunk
from shipments.documents.store import store_document
from shipments.models import Carrier, Document, Shipment

ClientAs = Callable[[User], Client]


def pdf(title: str) -> bytes:
    writer, made = PdfWriter(), io.BytesIO()
    writer.add_blank_page(width=100, height=100)
    writer.add_metadata({"/Title": title})
    writer.write(made)
    return made.getvalue()


@pytest.fixture
def carrier(db: None) -> Carrier:
    return Carrier.objects.create(code="acme", name="Acme")


def rendered(carrier: Carrier, count: int, *, first: int = 0) -> Batch:
    """A finished batch of delivery notes, as the engine leaves it: documents stored, named in the items' results."""
    batch = Batch.objects.create(
        title="Render delivery notes: é & co", capability="render_pdf", function_name="f", state="done",
        total=count, succeeded=count, finished=timezone.now(),
    )  # fmt: skip
    chunk = Chunk.objects.create(
        batch=batch, position=0, request_id="r-1", attempt=1, duration_ms=1200.5, billed_ms=1201
    )
    for position, number in enumerate(range(first, first + count)):
        shipment, _new = Shipment.objects.get_or_create(carrier=carrier, tracking_number=f"1Z{number:05}")
        document, _new = store_document(
            shipment=shipment, type="delivery_note", content=pdf(f"note {number}"), name="n.pdf", source="rendered",
            batch=batch,
        )  # fmt: skip
        BatchItem.objects.create(
            batch=batch, chunk=chunk, position=position, key=str(shipment.pk), label=shipment.tracking_number,
            state="succeeded", result={"document": document.pk}, settled=timezone.now(),
        )  # fmt: skip
    return batch


def blocks_of(answer: Any) -> Iterator[bytes]:
    assert answer.status_code == 200 and answer.streaming
    return iter(answer.streaming_content)


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(blocks_of(answer)).decode(), newline="")))


def archive_of(answer: Any) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(blocks_of(answer))))
    assert archive.testzip() is None
    return archive


def index_of(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("index.csv").decode(), newline="")))


def test_the_list_leaves_as_it_is_filtered_and_without_formulas(client_as: ClientAs, viewer: User) -> None:
    now = timezone.now()
    Batch.objects.create(title="=HYPERLINK(1)", function_name="f", state="done", failed=1, total=2, finished=now)
    Batch.objects.create(title="clean", function_name="f", reason="-", capability="render_pdf")
    client = client_as(viewer)
    assert [row["title"] for row in rows_of(client.get("/batches/list.csv"))] == ["clean", "'=HYPERLINK(1)"]
    only = rows_of(client.get("/batches/list.csv", {"q": "state:failed"}))
    assert [(row["title"], row["items"], row["failed"]) for row in only] == [("'=HYPERLINK(1)", "2", "1")]
    page = client.get("/batches/?q=state:failed").content.decode()
    assert 'href="/batches/list.csv?q=state%3Afailed"' in page


def test_the_items_leave_with_how_their_chunk_went(client_as: ClientAs, viewer: User, carrier: Carrier) -> None:
    batch = rendered(carrier, 2)
    BatchItem.objects.create(
        batch=batch,
        position=2,
        key="x",
        label="@late",
        state="failed",
        error_type="NotFound",
        error_message="no, sorry",
    )
    client = client_as(viewer)
    answer = client.get(f"/batches/{batch.pk}/items.csv")
    assert f"render-delivery-notes-e-co-{batch.created:%Y-%m-%d}" in answer["Content-Disposition"]
    rows = rows_of(answer)
    assert [row["item"] for row in rows] == ["1Z00000", "1Z00001", "'@late"]
    assert (rows[0]["number"], rows[0]["chunk"], rows[0]["request_id"]) == ("1", "1", "r-1")
    assert (rows[0]["chunk_billed_ms"], rows[0]["chunk_ms"]) == ("1201", "1200.5")
    assert (rows[2]["chunk"], rows[2]["error_type"], rows[2]["error_message"]) == ("", "NotFound", "no, sorry")
    failed = rows_of(client.get(f"/batches/{batch.pk}/items.csv?state=failed"))
    assert [row["key"] for row in failed] == ["x"]
    assert client.get(f"/batches/{batch.pk}/items.csv?state=odd").status_code == 400


@pytest.mark.slow
def test_long_lists_are_read_through_a_cursor(client_as: ClientAs, viewer: User) -> None:
    batch = Batch.objects.create(title="many", function_name="f", total=5_000)
    BatchItem.objects.bulk_create(BatchItem(batch=batch, position=n, key=str(n)) for n in range(5_000))
    blocks = blocks_of(client_as(viewer).get(f"/batches/{batch.pk}/items.csv"))
    next(blocks), next(blocks)
    with connection.cursor() as asking:
        asking.execute("SELECT count(*) FROM pg_cursors WHERE name LIKE '_django_curs%%'", [])
        assert asking.fetchone() == (1,)
    assert sum(block.count(b"\n") for block in blocks) == 5_000 - 500


@pytest.mark.slow
def test_three_hundred_notes_come_as_one_archive(client_as: ClientAs, viewer: User, carrier: Carrier) -> None:
    batch = rendered(carrier, 300)
    client = client_as(viewer)
    answer = client.get(f"/batches/{batch.pk}/results.zip", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Encoding"] == "identity"  # the middleware left it alone
    archive = archive_of(answer)
    notes = [name for name in archive.namelist() if name != "index.csv"]
    assert len(notes) == 300 and archive.namelist()[-1] == "index.csv"
    assert archive.read("1Z00007-delivery-note.pdf") == pdf("note 7")
    assert {archive.getinfo(name).compress_type for name in notes} == {zipfile.ZIP_STORED}
    index = index_of(archive)
    assert [row["file"] for row in index] == notes
    assert {(row["state"], row["error"]) for row in index} == {("succeeded", "")}


def test_the_archive_begins_before_the_last_file_is_read(client_as: ClientAs, viewer: User, carrier: Carrier) -> None:
    batch = rendered(carrier, 3)
    blocks = blocks_of(client_as(viewer).get(f"/batches/{batch.pk}/results.zip"))
    assert next(blocks).startswith(b"PK")
    for document in Document.objects.all():
        default_storage.delete(str(document.file.name))
    rest = b"".join(blocks)
    assert b"not in the document store" not in rest  # packed, so read it properly
    assert b"1Z00002-delivery-note.pdf" not in rest


def test_what_failed_and_what_is_gone_is_in_the_index(client_as: ClientAs, viewer: User, carrier: Carrier) -> None:
    batch = rendered(carrier, 2)
    BatchItem.objects.create(
        batch=batch,
        position=2,
        key="9",
        label="1ZBAD",
        state="failed",
        error_type="BadAddress",
        error_message="no city",
    )
    default_storage.delete(str(Document.objects.order_by("pk")[0].file.name))
    archive = archive_of(client_as(viewer).get(f"/batches/{batch.pk}/results.zip"))
    assert archive.namelist() == ["1Z00001-delivery-note.pdf", "index.csv"]
    assert [(row["item"], row["state"], row["file"], row["error"]) for row in index_of(archive)] == [
        ("1Z00000", "succeeded", "", "The file is not in the document store any more."),
        ("1Z00001", "succeeded", "1Z00001-delivery-note.pdf", ""),
        ("1ZBAD", "failed", "", "BadAddress: no city"),
    ]


def test_the_same_number_of_two_carriers_gives_two_names(client_as: ClientAs, viewer: User, carrier: Carrier) -> None:
    batch = rendered(carrier, 1)
    twin = Shipment.objects.create(carrier=Carrier.objects.create(code="bolt", name="Bolt"), tracking_number="1Z00000")
    store_document(
        shipment=twin, type="delivery_note", content=pdf("twin"), name="n.pdf", source="rendered", batch=batch
    )
    BatchItem.objects.create(batch=batch, position=1, key=str(twin.pk), state="succeeded")
    archive = archive_of(client_as(viewer).get(f"/batches/{batch.pk}/results.zip"))
    assert archive.namelist() == ["1Z00000-delivery-note.pdf", "1Z00000-delivery-note-2.pdf", "index.csv"]


def test_a_second_batch_that_made_the_same_bytes_has_its_files_too(
    client_as: ClientAs, viewer: User, carrier: Carrier
) -> None:
    first, second = rendered(carrier, 2), rendered(carrier, 2)
    assert Document.objects.filter(batch=second).count() == 0
    for batch in (first, second):
        assert len(archive_of(client_as(viewer).get(f"/batches/{batch.pk}/results.zip")).namelist()) == 3


def test_quarantined_documents_stay_out(client_as: ClientAs, viewer: User, carrier: Carrier) -> None:
    batch = rendered(carrier, 1)
    Document.objects.update(state="quarantined", problem="broken")
    answer = client_as(viewer).get(f"/batches/{batch.pk}/results.zip")
    assert answer.status_code == 404


def test_a_batch_without_files_says_so(
    client_as: ClientAs, api_client: Callable[[User], APIClient], viewer: User
) -> None:
    for capability in ("classify_messages", "render_pdf", "", "long_gone"):
        batch = Batch.objects.create(title="t", function_name="f", capability=capability, succeeded=1, total=1)
        BatchItem.objects.create(batch=batch, position=0, key="1", state="succeeded")
        page = client_as(viewer).get(f"/batches/{batch.pk}/results.zip")
        assert page.status_code == 404
        answer = api_client(viewer).get(
            f"/api/v1/batches/{batch.pk}/results.zip/", headers={"Accept": "application/zip"}
        )
        assert answer.status_code == 404
        assert "No item of this batch brought a file" in answer.json()["error"]["message"]


def test_tools_get_the_same_archive(api_client: Callable[[User], APIClient], viewer: User, carrier: Carrier) -> None:
    batch = rendered(carrier, 2)
    answer = api_client(viewer).get(f"/api/v1/batches/{batch.pk}/results.zip/", headers={"Accept": "application/zip"})
    assert len(archive_of(answer).namelist()) == 3


def test_more_files_take_no_more_queries(client_as: ClientAs, viewer: User, carrier: Carrier) -> None:
    client = client_as(viewer)
    counts = []
    for count in (5, 40):
        batch = rendered(carrier, count, first=1_000 * count)
        with CaptureQueriesContext(connection) as caught:
            archive_of(client.get(f"/batches/{batch.pk}/results.zip"))
        counts.append(len(caught))
    assert counts[0] == counts[1] <= 12, caught.captured_queries


def test_downloads_need_a_login(client: Client, carrier: Carrier) -> None:
    batch = rendered(carrier, 1)
    for address in ("/batches/list.csv", f"/batches/{batch.pk}/items.csv", f"/batches/{batch.pk}/results.zip"):
        assert client.get(address).status_code == 302


def test_csv_may_be_packed_on_the_way_and_still_streams(client_as: ClientAs, viewer: User) -> None:
    Batch.objects.bulk_create(Batch(title=f"batch {n}", function_name="f") for n in range(2_000))
    answer = client_as(viewer).get("/batches/list.csv", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(b"".join(blocks_of(answer))).count(b"\r\n") == 2_001
