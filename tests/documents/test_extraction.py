"""Texts are read in the background, in a process that may break, and found again in every language."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command

from shipments.choices import DocumentState, Extraction
from shipments.documents import extraction, text_search
from shipments.documents.inspection import JPEG
from shipments.documents.reader import Reader, UnreadableError
from shipments.documents.store import store_document
from shipments.models import Document, DocumentText
from tests.documents import made
from tests.shared_data import shared_path
from tests.shipments.finding import deliveries

pytestmark = pytest.mark.django_db
LETTERS = {
    "es": "El envío ha sido entregado al destinatario en la calle de las flores, con la firma del vecino.",
    "fr": "Le colis a été livré à votre adresse avec la signature de la gardienne, dans les délais.",
    "en": "The parcel was delivered to the neighbour and has been signed for by the recipients.",
    "de": "Die Sendung wurde dem Empfänger zugestellt und liegt nicht mehr bei der Filiale.",
    "it": "La spedizione è stata consegnata al destinatario presso la sede della società.",
    "pt": "A encomenda foi entregue ao destinatário pelo nosso estafeta, não há mais nada a fazer.",
}


def keep(content: bytes, name: str = "a.pdf", **more: Any) -> Document:
    values: dict[str, Any] = {"shipment": None, "type": "other", "source": "uploaded"} | more
    return store_document(content=content, name=name, **values)[0]


def test_texts_are_read_with_language_pages_and_a_small_picture() -> None:
    kept = {code: keep(made.pdf(text[:60], text[60:]), f"{code}.pdf") for code, text in LETTERS.items()}
    scan = keep(made.picture("JPEG"), "scan.jpg", content_type=JPEG)
    assert Document.objects.filter(extraction=Extraction.WAITING).count() == 7
    assert extraction.work() is False
    for code, document in kept.items():
        document.refresh_from_db()
        assert (document.extraction, document.pages, document.thumbnail) == ("done", 2, "made")
        text = DocumentText.objects.get(document=document)
        assert (text.language, text.cut, text.text.replace("\f", "")) == (code, False, LETTERS[code])
        assert default_storage.size(f"derived/{document.sha256[:2]}/{document.sha256}/small.webp") > 100
    scan.refresh_from_db()
    assert (scan.extraction, scan.pages, scan.thumbnail, scan.text) == ("done", 1, "made", "")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("entregado", {"es", "pt"}),  # in Portuguese it has the same stem
        ("livrées", {"fr"}),
        ("neighbours", {"en"}),
        ("zugest", {"de"}),
        ("consegnate", {"it"}),
        ('"delivered to the neighbour"', {"en"}),
        ('"neighbour the to"', set()),
        ("filiale or gardienne", {"de", "fr"}),
        ("destinatario -sede", {"es"}),
        ("Empfänger!! & ) ' :* <->", {"de"}),
        ("nothing-like-this", set()),
    ],
)  # fmt: skip
def test_words_are_found_in_every_language(words: str, found: set[str]) -> None:
    for code, text in LETTERS.items():
        document = keep(made.pdf(code), f"{code}.pdf")
        DocumentText.objects.create(document=document, text=text, language=code)
    ranks = text_search.ranked_documents(words)
    assert ranks is not None
    names = set(Document.objects.filter(pk__in=ranks).values_list("name", flat=True))
    assert {name[:2] for name in names} == found
    for html in text_search.snippets(ranks, words).values():
        assert "<mark>" in html


def test_a_snippet_never_carries_markup_of_a_document() -> None:
    document = keep(made.pdf("x"))
    DocumentText.objects.create(document=document, text="<script>alert(1)</script> signed & sealed <b>", language="en")
    html = text_search.snippets([document.pk], "signed")[document.pk]
    assert "<mark>signed</mark> &amp; sealed" in html
    assert "<script" not in html


def test_deliveries_are_found_by_the_text_of_their_documents() -> None:
    one, other = deliveries(2)
    document = keep(made.pdf("Signed by Ms Quintanilla"), shipment=one)
    keep(made.pdf("Signed by Mr Brume"), shipment=other)
    extraction.work()
    assert text_search.deliveries_with_text("quintan") == [one.pk]
    Document.objects.filter(pk=document.pk).update(state=DocumentState.DELETED)
    assert text_search.deliveries_with_text("quintan") == []


def test_a_file_that_the_libraries_cannot_open_is_noted_and_can_be_tried_again(tmp_path: Path) -> None:
    document = keep(made.pdf("good"))
    Path(document.file.path).write_bytes(b"changed")
    extraction.work()
    document.refresh_from_db()
    assert (document.extraction, document.state) == ("failed", "quarantined")
    assert "not the ones that were kept" in document.problem
    Path(document.file.path).write_bytes(made.pdf("good"))
    Document.objects.filter(pk=document.pk).update(state=DocumentState.STORED, problem="")
    call_command("extract_documents", "--failed")
    document.refresh_from_db()
    assert (document.extraction, document.text) == ("done", "good")


def test_quarantined_files_are_never_read() -> None:
    keep(made.with_script_on_opening())
    assert not extraction.waiting().exists()


def test_a_claim_is_one_workers_and_another_takes_it_over_later() -> None:
    keep(made.pdf("one"))
    assert len(extraction.claim(10)) == 1
    assert extraction.claim(10) == []
    Document.objects.update(reading_since="2026-01-01T00:00Z")
    assert len(extraction.claim(10)) == 1


def test_a_process_that_hangs_or_dies_costs_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(made.pdf("fine"))
    asked: dict[str, Any] = {
        "path": str(path),
        "kind": "application/pdf",
        "most_pages": 1,
        "most_chars": 9,
        "seconds": 1,
    }
    with Reader() as reader:
        assert reader.ask("text", **asked)["text"] == "fine"
        with pytest.raises(UnreadableError, match="longer than 0 s"):
            reader.ask("barcodes", within=0, path=str(path), kind="application/pdf", most_pages=1, longest=900)
        assert reader.ask("text", **asked)["text"] == "fine"
        process = reader._process
        assert isinstance(process, subprocess.Popen)
        process.kill()
        with pytest.raises(UnreadableError, match="broke down"):
            reader.ask("text", **asked)
        assert reader.restarted
        assert "cannot" not in reader.ask("text", **asked)["text"]


def test_much_text_is_cut_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "MOST_CHARS", 50)
    document = keep(made.pdf("a" * 40, "b" * 40, "c"))
    extraction.work()
    text = DocumentText.objects.get(document=document)
    assert (len(text.text), text.cut) == (50, True)


def test_real_documents_of_carriers_are_read() -> None:
    for file in sorted(shared_path("documents/pdf").glob("*.pdf")):
        keep(file.read_bytes(), file.name)
    extraction.work()
    assert list(Document.objects.exclude(extraction="done").values_list("name", "state")) == [
        ("dhl_express_broken_pdf_28d54bb7.pdf", "quarantined")
    ]
    assert DocumentText.objects.filter(text="").count() == 0
    found = text_search.ranked_documents("5374534616")
    assert found is not None and len(found) == 3
    assert set(Document.objects.filter(text_search_of("proof-of-delivery")).values_list("name", flat=True)) == {
        "fedex_proof_of_delivery_d4ae88f9.pdf"
    }


def text_search_of(words: str) -> Any:
    from django.db.models import Q

    return Q(pk__in=text_search.ranked_documents(words) or ())
