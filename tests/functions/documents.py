"""Documents for the tests: data with everything on it, pages as text and as pictures, codes read back."""

from __future__ import annotations

from typing import Any

import pypdfium2
import zxingcpp
from PIL import Image

from shipments.functions.render_pdf.handler import handler
from tests.functions.support import Clock, content, envelope, shipment

TYPES = ("delivery_note", "cmr_waybill", "commercial_invoice", "packing_list", "label", "manifest")
SSCC = "00340434161094042557"


def goods(count: int = 3) -> list[dict[str, Any]]:
    return [
        {
            "number": str(n + 1), "weight_kg": f"{n + 1}.25", "description": ("Pump housings", "Ceramic tiles")[n % 2],
            "packaging": "carton", "quantity": 4, "hs_code": "84139100", "value": f"{1000 * (n + 1)}.50",
            "currency": "EUR", "origin": "DE", "volume_m3": "0.125",
        }
        for n in range(count)
    ]  # fmt: skip


def full(**more: Any) -> dict[str, Any]:
    """A delivery that every document can be made of."""
    return shipment(parcels=goods(), options={"incoterm": "DAP", "export_reason": "sale"}, **more)


def manifest(count: int) -> dict[str, Any]:
    rows = [
        {
            "tracking_number": f"SP{n:010d}", "reference": f"PO-{n}", "parcels": 2, "weight_kg": "1.50",
            "recipient": {"name": f"Empfänger {n}", "postcode": "20095", "city": "Hamburg", "country": "DE"},
        }
        for n in range(count)
    ]  # fmt: skip
    base = shipment()
    return {"number": "M-17", "carrier": "Nordpaket", "created": "2026-11-24", "sender": base["sender"], "rows": rows}


def made(document_type: str, locale: str = "en", data: Any = None, **context: Any) -> dict[str, Any]:
    """The handler's entry for one document."""
    if data is None:
        data = manifest(60) if document_type == "manifest" else full()
    full_context = {"document_type": document_type, "locale": locale, **context}
    result: dict[str, Any] = handler(envelope([{"id": "a", "data": data}], full_context), Clock())["results"][0]
    return result


def pdf_of(result: dict[str, Any]) -> bytes:
    assert result["ok"], result
    return content(result["value"]["file"])


def texts(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]


def pictures(pdf: bytes, scale: float = 3.0, pages: int = 10) -> list[Image.Image]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [document[at].render(scale=scale).to_pil().convert("L") for at in range(min(pages, len(document)))]


def overlapping(pdf: bytes) -> list[tuple[str, str]]:
    """Pairs of texts of the first page that are printed over each other by more than a point each way."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0].get_textpage()
        boxes = [page.get_rect(place) for place in range(page.count_rects())]
        return [
            (page.get_text_bounded(*one), page.get_text_bounded(*other))
            for place, one in enumerate(boxes)
            for other in boxes[:place]
            if min(one[2], other[2]) - max(one[0], other[0]) > 1 and min(one[3], other[3]) - max(one[1], other[1]) > 1
        ]


def codes(picture: Image.Image) -> dict[str, str]:
    """What a scanner reads, by kind of code."""
    return {str(code.format).rpartition(".")[2]: code.text for code in zxingcpp.read_barcodes(picture)}
