"""Lambda: a shipment's data -> a PDF; one item is one document.

context {"document_type": "delivery_note", "locale": "en", "letterhead"?: {"name", "lines", "logo"}}
item {"id", "filename", "html"?: null, "data": {...}}
value {"document_type", "filename", "content_type", "file", "pages"}
"""

from typing import Any

from shipments.functions.render_pdf.documents import render_document, render_html
from shipments.functions.runtime.answer import Binary
from shipments.functions.runtime.batch import batch_handler
from shipments.functions.runtime.envelope import Context, Item

PDF = "application/pdf"


def _render(item: Item, context: Context, shared: None) -> dict[str, Any]:
    document_type = str(context.get("document_type", "delivery_note"))
    if item.get("html") is not None:
        rendered = render_html(item["html"])
    else:
        rendered = render_document(document_type, item.get("data"), context.get("locale"), context.get("letterhead"))
    return {
        "document_type": document_type,
        "filename": item.get("filename") or f"{document_type}.pdf",
        "content_type": PDF,
        "file": Binary(rendered.content, PDF),
        "pages": rendered.pages,
    }


handler = batch_handler(_render, floor_s=2.0)
