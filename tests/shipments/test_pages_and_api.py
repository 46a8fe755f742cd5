"""Lists stay within their query budget, files come back as they were, refusals are clear."""

import contextlib
import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from pypdf import PdfWriter

from services_registry import capabilities
from services_registry.models import Batch
from shipments.deliveries.importer import import_shipments
from shipments.documents.store import store_document
from shipments.models import CarrierMessage, Document, Shipment
from shipments.sample import sample_shipments_csv

pytestmark = pytest.mark.django_db


def fill(count: int) -> None:
    import_shipments(io.BytesIO(sample_shipments_csv(count, 5).encode()))
    for shipment in Shipment.objects.all():
        CarrierMessage.objects.create(carrier=shipment.carrier, shipment=shipment, text="Entregado")
        store_document(shipment=shipment, type="label", content=b"cut", name="label.pdf", source="uploaded")


def pdf() -> bytes:
    target = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(target)
    return target.getvalue()


@pytest.mark.parametrize("count", [3, 30])
@pytest.mark.parametrize(
    "address", ["/deliveries/", "/documents/", "/messages/", "/api/v1/shipments/", "/api/v1/messages/"]
)
def test_lists_need_the_same_queries_for_3_and_30_rows(
    client_as: Any, viewer: User, query_budget: Any, address: str, count: int
) -> None:
    fill(count)
    client = client_as(viewer)
    with query_budget(14):
        assert client.get(address).status_code == 200


def test_search_finds_inside_the_customer_and_refuses_short_texts(client_as: Any, viewer: User) -> None:
    import_shipments(io.BytesIO(b"carrier,tracking_number,customer\nacme,XK1,Olmo 100%\nacme,ZZ2,Brume\n"))
    client = client_as(viewer)
    assert [row.tracking_number for row in client.get("/deliveries/?q=mo 100%").context["page"].rows] == ["XK1"]
    assert [row.tracking_number for row in client.get("/deliveries/?q=zz2").context["page"].rows] == ["ZZ2"]
    assert client.get("/deliveries/?q=K1").status_code == 400
    assert client.get("/deliveries/?status=nonsense").status_code == 400


def test_detail_shows(client_as: Any, viewer: User) -> None:
    fill(1)
    client = client_as(viewer)
    assert b"label.pdf" in client.get(f"/deliveries/{Shipment.objects.get().pk}/").content


def test_document_file_comes_back_whole_and_harmless(client_as: Any, viewer: User) -> None:
    fill(1)
    document, new = store_document(
        shipment=Shipment.objects.get(), type="other", content=pdf(), name="a.pdf", source="uploaded"
    )
    assert (new, document.pages, document.state) == (True, 1, "stored")
    answer = client_as(viewer).get(f"/documents/{document.pk}/file")
    assert b"".join(answer.streaming_content) == pdf()
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert Document.objects.get(type="label").state == "quarantined"


def test_api_imports_a_text_body(api_client: Any, operator: User, viewer: User) -> None:
    body = b"carrier,tracking_number\nacme,A1\nacme,\n"
    refused = api_client(viewer).post("/api/v1/shipments/import/", body, content_type="text/csv")
    assert refused.status_code == 403
    answer = api_client(operator).post("/api/v1/shipments/import/", body, content_type="text/csv")
    assert (answer.json()["created"], answer.json()["errors"][0]["line"]) == (1, 3)


def test_rendered_note_is_kept_once_and_an_applied_message_moves_the_delivery() -> None:
    fill(1)
    shipment, batch = (
        Shipment.objects.get(),
        Batch.objects.create(capability="render_pdf", function_name="f", title="t"),
    )
    note = {"filename": "n.pdf", "content_type": "application/pdf", "file": {}}
    for _again in range(2):
        capabilities.get("render_pdf").apply(
            str(shipment.pk), note, batch=batch, open_binary=lambda value: contextlib.nullcontext(io.BytesIO(pdf()))
        )
    assert Document.objects.filter(type="delivery_note").count() == 1
    message = CarrierMessage.objects.get()
    value = {"status": "on_hold", "reason": "customs", "confidence": 0.9, "applied": True, "language": "es"}
    capabilities.get("classify_messages").apply(
        str(message.pk), value, batch=batch, open_binary=lambda value: contextlib.nullcontext(io.BytesIO())
    )
    shipment.refresh_from_db()
    assert (shipment.status, shipment.reason) == ("on_hold", "customs")


def test_selection_by_query_never_turns_a_wrong_filter_into_everything() -> None:
    fill(3)
    kind = capabilities.get("render_pdf")
    assert len(list(kind.resolve({"query": {}}))) == 3
    for wrong in ({"query": {"status": "nonsense"}}, {"query": {"colour": "red"}}, {"keys": ["x"]}, {}):
        with pytest.raises(capabilities.SelectionError):
            kind.resolve(wrong)
