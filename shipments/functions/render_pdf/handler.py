"""Lambda: a shipment's data -> a PDF; one item is one document.

context {"document_type": "delivery_note", "locale": "en", "letterhead"?: {"name", "lines", "logo"},
         "template"?: {"html", "css", "sha256", "version"}}
item {"id", "filename", "html"?: null, "locale"?: of this item alone, "data": {...}}
value {"document_type", "locale", "template_version", "filename", "content_type", "file", "pages", "warnings"?}
"""

from typing import Any

from shipments.functions.render_pdf.documents import custom_template, render_document, render_html
from shipments.functions.render_pdf.language import locale_for
from shipments.functions.runtime.answer import Binary
from shipments.functions.runtime.batch import batch_handler
from shipments.functions.runtime.envelope import Context, Item

PDF = "application/pdf"


def _render(item: Item, context: Context, shared: None) -> dict[str, Any]:
    document_type = str(context.get("document_type", "delivery_note"))
    locale, template = item.get("locale") or context.get("locale"), context.get("template")
    if item.get("html") is not None:
        rendered = render_html(item["html"])
    else:
        rendered = render_document(document_type, item.get("data"), locale, context.get("letterhead"), template)
    value = {
        "document_type": document_type,
        "locale": locale_for(locale).code,
        "template_version": 0,
        "filename": item.get("filename") or f"{document_type}.pdf",
        "content_type": PDF,
        "file": Binary(rendered.content, PDF),
        "pages": rendered.pages,
    }
    if template is not None:
        custom = custom_template(template)
        value |= {"template_version": custom.version, "warnings": custom.warnings}
    return value


handler = batch_handler(_render, floor_s=2.0)
