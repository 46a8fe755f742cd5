"""Files without a delivery find it by barcode, name and text; what is not sure waits for a person."""

from __future__ import annotations

import io
from typing import Any

import pytest
import zxingcpp
from django.contrib.auth.models import User
from PIL import Image

from core.models import AuditEntry
from shipments.documents import extraction
from shipments.documents.inspection import PNG
from shipments.documents.matching import NAME, PART, TEXT, numbers_in
from shipments.models import Document, Shipment
from tests.documents import made
from tests.shared_data import shared_path
from tests.shipments.finding import carrier, deliveries


def barcode(text: str) -> bytes:
    drawn = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_image(scale=3)
    sheet = Image.new("L", (1000, 600), 255)
    sheet.paste(Image.fromarray(drawn), (100, 100))
    target = io.BytesIO()
    sheet.save(target, "PNG")
    return target.getvalue()


def read(document: Document) -> Document:
    extraction.work()
    document.refresh_from_db()
    return document


def test_numbers_are_found_however_they_are_printed() -> None:
    found = {one.text: one for one in numbers_in(
        "ref 4711\fTRK# 1Z 999 AA1 01 2345 6784\nTotal: 12.50", [("(420)32827(92)34690361980900000265", 1)], "POD_AB123456.pdf"
    )}  # fmt: skip
    assert (found["1Z999AA10123456784"].kind, found["1Z999AA10123456784"].page) == (TEXT, 2)
    assert found["AB123456"].kind == NAME
    assert found["9234690361980900000265"].kind == PART
    assert "4711" not in found, "too short to say anything"


def test_a_barcode_of_its_own_carrier_attaches_by_itself(keep: Any, operator: User) -> None:
    shipment = deliveries(1, first=1234567)[0]
    document = keep(barcode(shipment.tracking_number), "scan.png", content_type=PNG, carrier=carrier())
    assert read(document).shipment == shipment
    entry = AuditEntry.objects.get(verb="document.attached")
    assert (entry.actor_name, entry.source) == ("system", "system")
    assert "in the barcode on page 1" in entry.reason


@pytest.mark.django_db
def test_a_number_in_the_text_attaches_within_the_carrier_and_asks_otherwise(keep: Any) -> None:
    own, _other = deliveries(1, code="acme")[0], deliveries(1, code="brume")[0]
    shipment = Shipment.objects.create(carrier=carrier("brume"), tracking_number=own.tracking_number)
    known = keep(made.pdf(f"Delivered: {own.tracking_number[:4]} {own.tracking_number[4:]}"), "k", carrier=carrier())
    assert read(known).shipment == own
    unknown = read(keep(made.pdf(f"Delivered {own.tracking_number}"), "u"))
    assert (unknown.shipment, unknown.matching) == (None, "review"), "two carriers have the number"
    assert {row.shipment for row in unknown.candidates.all()} == {own, shipment}
    foreign = read(keep(made.pdf("Number BRUME00000"), "f", carrier=carrier()))
    assert (foreign.shipment, foreign.matching) == (None, "review"), "another carrier's delivery"
    manifest = read(keep(made.pdf(own.tracking_number), "manifest.pdf", carrier=carrier(), source="rendered"))
    assert (manifest.shipment, manifest.matching) == (None, ""), "what we made of many belongs to none"
    nothing = read(keep(made.pdf("no number at all"), "n"))
    assert (nothing.shipment, nothing.matching) == (None, "nothing")


@pytest.mark.slow
def test_people_decide_in_the_review(keep: Any, client_as: Any, operator: User, viewer: User) -> None:
    one, other = deliveries(2)
    both = f"{one.tracking_number} and {other.tracking_number}"
    documents = [read(keep(made.pdf(both, str(n)), f"{n}.pdf")) for n in range(4)]
    assert {document.matching for document in documents} == {"review"}
    client = client_as(operator)
    assert client_as(viewer).get("/documents/review/").status_code == 403
    page = client.get("/documents/review/").content.decode()
    assert "0.pdf" in page and f"Attach to {one.tracking_number}" in page and "in the text of page 1" in page
    after = client.post(f"/documents/review/{documents[0].pk}/", {"shipment": other.pk}, follow=True)
    assert b"1.pdf" in after.content, "the next one follows"
    client.post(f"/documents/review/{documents[1].pk}/", {"number": one.tracking_number})
    client.post(f"/documents/review/{documents[2].pk}/", {})
    refused = client.post(f"/documents/review/{documents[3].pk}/", {"number": "NOSUCH99"}, follow=True)
    assert b"No delivery has the tracking number" in refused.content and b"3.pdf" in refused.content
    found = [(row.shipment, row.matching) for row in Document.objects.order_by("pk")]
    assert found == [(other, ""), (one, ""), (None, "none"), (None, "review")]
    extraction.read_again()
    extraction.work()
    assert Document.objects.get(pk=documents[2].pk).matching == "none", "what a person said is not asked again"


def test_the_threshold_is_a_setting(keep: Any, settings: Any) -> None:
    settings.DOCUMENT_MATCH_PERCENT = 101
    shipment = deliveries(1)[0]
    document = read(keep(made.pdf(shipment.tracking_number), "a", carrier=carrier()))
    assert (document.shipment, document.matching) == (None, "review")


@pytest.mark.django_db
def test_real_labels_find_their_deliveries(keep: Any) -> None:
    dhl, kargo = carrier("dhl"), carrier("smartkargo")
    waybill = Shipment.objects.create(carrier=dhl, tracking_number="5374534616")
    label = Shipment.objects.create(carrier=kargo, tracking_number="XIA00290906")
    folder = shared_path("documents/pdf")
    for name in ("dhl_express_waybill_4114b821.pdf", "dhl_express_label_b4f544ca.pdf"):
        assert read(keep((folder / name).read_bytes(), name)).shipment == waybill
    invoice = "dhl_express_commercial_invoice_1b7321db.pdf"
    assert read(keep((folder / invoice).read_bytes(), invoice, carrier=dhl)).shipment == waybill
    name = "smartkargo_label_bd1aa814.pdf"
    assert read(keep((folder / name).read_bytes(), name)).shipment == label
