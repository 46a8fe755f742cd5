"""The list of documents and its search, the page of one, and deliveries found by what their documents say."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from shipments.documents import extraction, previews, text_search
from shipments.models import Document, Shipment
from tests.documents import made
from tests.shipments.finding import deliveries, shown


@pytest.fixture
def kept(keep: Any, delivery: Shipment) -> list[Document]:
    """Three with a delivery, one without, one in quarantine; all read."""
    found = [
        keep(made.pdf("Signed by Quintanilla <b>", "signature signature"), "pod-1.pdf", shipment=delivery),
        keep(made.pdf("Invoice for ceramics, see Quintanilla"), "invoice.pdf", shipment=delivery, type="label"),
        keep(made.pdf("Nothing"), "note.pdf", shipment=delivery, source="rendered"),
        keep(made.pdf("Whose is it"), "lost.pdf", source="fetched"),
        keep(made.HTML, "page.pdf", shipment=delivery, type="cmr_waybill"),
    ]
    extraction.work()
    return found


def names(client: Any, query: str = "") -> list[str]:
    return [row["document"].name for row in client.get(f"/documents/?{query}").context["rows"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["page.pdf", "lost.pdf", "note.pdf", "invoice.pdf", "pod-1.pdf"]),
        ("q=quintanilla", ["invoice.pdf", "pod-1.pdf"]),
        ("q=signatures", ["pod-1.pdf"]),
        ("q=ceram&type=label", ["invoice.pdf"]),
        ("q=ceram&type=other", []),
        ("q=note.p", ["note.pdf"]),
        ("q=ACME00007", ["page.pdf", "note.pdf", "invoice.pdf", "pod-1.pdf"]),
        ("type=label", ["invoice.pdf"]),
        ("state=quarantined", ["page.pdf"]),
        ("matched=false", ["lost.pdf"]),
        ("matched=true&source=rendered", ["note.pdf"]),
        ("carrier=acme&state=stored", ["note.pdf", "invoice.pdf", "pod-1.pdf"]),
    ],
)
def test_page_and_api_understand_the_same_filters(
    query: str, found: list[str], kept: Any, client_as: Any, api_client: Any, viewer: User
) -> None:
    assert sorted(names(client_as(viewer), query)) == sorted(found)
    answer = api_client(viewer).get(f"/api/v1/documents/?{query}").json()
    assert sorted(row["name"] for row in answer["results"]) == sorted(found)


def test_what_fits_best_comes_first_with_its_words_marked(
    kept: Any, keep: Any, client_as: Any, api_client: Any, viewer: User
) -> None:
    client = client_as(viewer)
    html = client.get("/documents/?q=quintanilla").content.decode()
    assert html.count("<mark>Quintanilla</mark>") == 2 and "Quintanilla <b>" not in html
    for times in (1, 3, 2):
        keep(made.pdf("zircon " * times), f"{times}.pdf")
    extraction.work()
    assert names(client, "q=zircon") == ["3.pdf", "2.pdf", "1.pdf"]
    row = api_client(viewer).get("/api/v1/documents/?q=ceramics").json()["results"][0]
    assert "<mark>ceramics</mark>" in row["snippet"]
    assert client.get("/documents/?q=ab").status_code == 400
    assert client.get("/documents/?type=nonsense").status_code == 400


def test_many_hits_come_newest_first(kept: Any, client_as: Any, viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_search, "FEW", 1)
    page = client_as(viewer).get("/documents/?q=quintanilla")
    assert [row["document"].name for row in page.context["rows"]] == ["invoice.pdf", "pod-1.pdf"]
    assert b"Many documents contain this" in page.content


def test_deliveries_are_found_by_their_documents(
    kept: Any, client_as: Any, api_client: Any, viewer: User, delivery: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = deliveries(1, first=99, customer="Quintanilla & Sons")[0]
    both = {delivery.tracking_number, other.tracking_number}
    client = client_as(viewer)
    assert set(shown(client, "q=quintanilla")) == both
    assert b"1 delivery has the text in its documents" in client.get("/deliveries/?q=quintanilla").content
    assert set(shown(client, "q=ceramics&status=pending")) == {delivery.tracking_number}
    assert shown(client, "q=ceramics&status=delivered") == []
    rows = api_client(viewer).get("/api/v1/shipments/?q=quintanilla").json()["results"]
    assert {row["tracking_number"] for row in rows} == both
    found = client.get("/search/?q=ceramics").content.decode()
    assert delivery.tracking_number in found and "invoice.pdf" in found
    monkeypatch.setattr("shipments.listing.search.FEW", 0)
    assert set(shown(client, "q=quintanilla")) == both, "also when many have the text themselves"
    monkeypatch.setattr(text_search, "FEW_DELIVERIES", 0)
    assert shown(client, "q=quintanilla") == [other.tracking_number]
    assert b"Search the documents" in client.get("/deliveries/?q=quintanilla").content


@pytest.mark.parametrize("count", [3, 30])
@pytest.mark.parametrize("query", ["", "q=parcel", "q=parcel&layout=grid", "matched=false"])
def test_lists_need_the_same_queries_for_3_and_30_rows(
    keep: Any, client_as: Any, viewer: User, query_budget: Any, query: str, count: int
) -> None:
    rows = deliveries(count)
    for shipment in rows:
        keep(made.pdf(f"parcel {shipment.pk}"), shipment=shipment)
    client = client_as(viewer)
    client.get("/documents/")
    with query_budget(26):
        assert client.get(f"/documents/?{query}").status_code == 200


def test_the_page_shows_pictures_once_they_are_drawn(kept: list[Document], client_as: Any, viewer: User) -> None:
    document, client = kept[0], client_as(viewer)
    page = client.get(f"/documents/{document.pk}/").content.decode()
    assert "are being made: 0 of 2" in page and "every 2s" in page and "Signed by Quintanilla &lt;b&gt;" in page
    assert client.get(f"/documents/{document.pk}/page/1").status_code == 404
    assert previews.make_pages(document) == 2
    fragment = client.get(f"/documents/{document.pk}/preview/", headers={"HX-Request": "true"}).content.decode()
    assert f"/documents/{document.pk}/page/2" in fragment and "every 2s" not in fragment
    picture = client.get(f"/documents/{document.pk}/page/1")
    assert picture["Content-Type"] == "image/webp" and b"".join(picture.streaming_content)[8:12] == b"WEBP"
    assert client.get(f"/documents/{document.pk}/page/11").status_code == 404
    assert b'src="/documents/' in client.get("/documents/?layout=grid").content


def test_a_scan_of_several_pages_is_drawn(keep: Any) -> None:
    document = keep(made.picture("TIFF", frames=3), "scan.tif", content_type="image/tiff")
    assert previews.make_pages(document) == 3
    assert previews.ready_pages(document) == [1, 2, 3]
