"""Ten thousand documents as one ZIP in little memory; up to five hundred as one PDF to print."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from pypdf import PdfReader

from shipments.documents import archive, printing
from shipments.documents.inspection import PNG
from shipments.models import Document, PrintJob
from tests.documents import made
from tests.memory import MEGABYTE, memory_grows_at_most
from tests.shipments.finding import deliveries


def chosen(*documents: Document) -> dict[str, list[int]]:
    return {"keys": [document.pk for document in documents]}


def test_the_zip_has_unique_safe_names_and_an_index(keep: Any, client_as: Any, viewer: User) -> None:
    shipment = deliveries(1)[0]
    kept = [
        keep(made.pdf("one"), "a.pdf", shipment=shipment),
        keep(made.pdf("two"), "b.pdf", shipment=shipment),
        keep(made.pdf("three"), "../../CON.pdf"),
        keep(made.HTML, "bad.pdf", shipment=shipment, type="label"),
        keep(made.pdf("lost"), "lost.pdf"),
    ]
    Path(kept[4].file.path).unlink()
    answer = client_as(viewer).post("/documents/zip/", chosen(*kept))
    packed = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert packed.testzip() is None
    assert set(packed.namelist()) == {"ACME00000-other.pdf", "ACME00000-other-2.pdf", "_CON.pdf", "index.csv"}
    rows = list(csv.DictReader(io.StringIO(packed.read("index.csv").decode())))
    assert {row["document"]: row["left out because"] for row in rows if row["left out because"]} == {
        str(kept[3].pk): kept[3].problem, str(kept[4].pk): "The file is not in the document store any more.",
    }  # fmt: skip
    assert packed.read("_CON.pdf") == made.pdf("three")


def test_all_that_match_leaves_out_what_came_later(keep: Any, client_as: Any, api_client: Any, operator: User) -> None:
    first = keep(made.pdf("one"), "one.pdf")
    client = client_as(operator)
    query = client.get("/documents/?matched=false").context["selection"]
    keep(made.pdf("later"), "later.pdf")
    form = {"all_matching": "1", "query": query}
    answer = client.post("/documents/zip/", form)
    assert zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).namelist() == ["one.pdf", "index.csv"]
    for wrong in ({}, {"keys": ["x"]}, {"all_matching": "1", "query": "{"}, {"all_matching": "1", "query": '{"a": 1}'}):
        assert client.post("/documents/zip/", wrong).status_code == 400
    api = api_client(operator)
    answer = api.post("/api/v1/documents/zip/", {"query": {"matched": "false"}}, format="json")
    assert b"".join(answer.streaming_content)[:2] == b"PK"
    assert api.post("/api/v1/documents/zip/", {"keys": []}, format="json").status_code == 400
    assert api.post("/api/v1/documents/zip/", chosen(first) | {"query": {}}, format="json").status_code == 400


@pytest.mark.slow
def test_ten_thousand_documents_stream_in_little_memory(keep: Any) -> None:
    like = keep(made.pdf("the same bytes, many times"), "like.pdf")
    rows = Document.objects.bulk_create(
        Document(**{"type": "other", "file": like.file.name, "name": f"{n}.pdf", "bytes": like.bytes,
                    "sha256": like.sha256, "source": "uploaded"})
        for n in range(9_999)
    )  # fmt: skip
    from core.zip_stream import zip_blocks

    size = 0
    with memory_grows_at_most(40 * MEGABYTE):  # of which 20 MB are the directory at the end of the archive
        for block in zip_blocks(archive.archive_entries([like.pk, *(row.pk for row in rows)])):
            size += len(block)
    assert size > 10_000 * like.bytes


def test_a_print_is_one_pdf_with_what_could_not_be_printed_named(keep: Any, client_as: Any, operator: User) -> None:
    one, other = deliveries(2)
    kept = [
        keep(made.pdf("a", "b"), "a.pdf", shipment=other),
        keep(made.picture(size=(900, 600)), "scan.png", content_type=PNG, shipment=one),
        keep(made.HTML, "bad.pdf", shipment=one, type="label"),
        keep(made.pdf("changed"), "changed.pdf", shipment=one),
    ]
    Path(kept[3].file.path).write_bytes(made.pdf("forged"))
    client = client_as(operator)
    answer = client.post("/documents/print/", chosen(*kept))
    job = PrintJob.objects.get()
    assert answer["Location"] == f"/documents/print/{job.pk}/"
    assert b"every 1s" in client.get(answer["Location"]).content
    assert client.get(f"{answer['Location']}file").status_code == 404
    assert printing.work(job.pk) and not printing.work(job.pk)
    page = client.get(answer["Location"]).content.decode()
    assert "Open and print 3 pages" in page and "bad.pdf" in page and "every 1s" not in page
    shown = client.get(f"{answer['Location']}file")
    pages = PdfReader(io.BytesIO(b"".join(shown.streaming_content))).pages
    assert [page.extract_text().strip() for page in pages] == ["", "a", "b"], "in the order of deliveries"
    job.refresh_from_db()
    assert sorted(row["name"] for row in job.left_out) == ["bad.pdf", "changed.pdf"]


def test_too_much_to_print_is_refused_in_words(
    keep: Any, client_as: Any, api_client: Any, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [keep(made.pdf(str(n)), f"{n}.pdf") for n in range(3)]
    client = client_as(operator)
    monkeypatch.setattr(printing, "MOST_DOCUMENTS", 2)
    assert b"3 documents are chosen; at most 2" in client.post("/documents/print/", chosen(*kept)).content
    Document.objects.filter(pk=kept[0].pk).update(bytes=200 << 20)
    assert b"have 200 MB; at most 100 MB" in client.post("/documents/print/", chosen(*kept[:2])).content
    answer = api_client(operator).post("/api/v1/prints/", {"keys": [kept[2].pk]}, format="json")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    printing.work(answer.json()["id"])
    done = api_client(operator).get(f"/api/v1/prints/{answer.json()['id']}/").json()
    assert (done["state"], done["pages"]) == ("done", 1)
    assert json.dumps(done["left_out"]) == "[]"
    PrintJob.objects.update(created="2026-01-01T00:00Z")
    assert printing.remove_old() == 1
    assert api_client(operator).get(f"/api/v1/prints/{answer.json()['id']}/file/").status_code == 404
