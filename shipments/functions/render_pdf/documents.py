"""From a shipment's data, or ready-made HTML, to the bytes of a PDF.

WeasyPrint is imported and warmed at import: that takes seconds and belongs into INIT, not into the first document.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from PIL import Image
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import (
    FatalURLFetchingError,
    URLFetcher,
    URLFetcherResponse,
)

from shipments.functions.render_pdf import barcode
from shipments.functions.render_pdf.labels import locale_for
from shipments.functions.render_pdf.shipment import Shipment, parse_shipment
from shipments.functions.runtime.errors import ItemError

TEMPLATES = Path(__file__).parent / "templates"
DOCUMENT_TYPES = {"delivery_note": "delivery_note"}
LONGEST_HTML = 2_000_000
MOST_PAGES = 200
Image.MAX_IMAGE_PIXELS = 20_000_000
"""Pillow refuses pictures past twice this: a small data URI must not unpack into gigabytes."""


class DataOnlyFetcher(URLFetcher):
    """Opens data: URIs and nothing else: no network, no file of the execution environment."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True)
        self.refused: str | None = None

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if not url.lower().startswith("data:"):
            self.refused = f"{urlsplit(url).scheme or 'relative'} address {url[:120]!r}"
        return super().fetch(url, headers)


@dataclass(frozen=True)
class Rendered:
    """A finished PDF."""

    content: bytes
    pages: int


_environment = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_fonts = FontConfiguration()
_styles = {name: CSS(filename=TEMPLATES / f"{name}.css", font_config=_fonts) for name in DOCUMENT_TYPES.values()}


def render_document(document_type: str, data: object, locale: object = "en", letterhead: object = None) -> Rendered:
    """Print the document of `document_type` for the shipment in `data`.

    `letterhead` is an optional object with name, lines (list) and logo (a data: URI); without it the sender's name and
    address head the page. Raises ItemError: UnknownDocumentType, BadData, TooLarge.
    """
    template = DOCUMENT_TYPES.get(document_type)
    if template is None:
        known = ", ".join(sorted(DOCUMENT_TYPES))
        raise ItemError("UnknownDocumentType", f"no template for {document_type!r}; there is: {known}")
    shipment = parse_shipment(data)
    language = locale_for(locale)
    html = _environment.get_template(f"{template}.html").render(
        shipment=shipment,
        locale=language,
        words=language.words,
        head=_letterhead(letterhead, shipment),
        barcode=_barcode(shipment.tracking_number),
    )
    return _print(html, [_styles[template]], _fonts)


def render_html(html: object) -> Rendered:
    """Print ready-made HTML as it is; no template language is evaluated in it.

    Raises ItemError: BadData, TooLarge, ResourceRefused (it asks for anything but data: URIs).
    """
    if not isinstance(html, str) or not html.strip():
        raise ItemError("BadData", "html must be text, or null to use the template of the document type")
    if len(html) > LONGEST_HTML:
        raise ItemError("TooLarge", f"html has {len(html)} characters; at most {LONGEST_HTML} are printed")
    return _print(html, [], FontConfiguration())  # its own, so that fonts it brings stay with it


def _print(html: str, styles: list[CSS], fonts: FontConfiguration) -> Rendered:
    fetcher = DataOnlyFetcher()
    try:
        document = HTML(string=html, url_fetcher=fetcher).render(stylesheets=styles, font_config=fonts)
        if len(document.pages) > MOST_PAGES:
            raise ItemError(
                "TooLarge", f"the document has {len(document.pages)} pages; at most {MOST_PAGES} are printed"
            )
        content = document.write_pdf()
    except FatalURLFetchingError as error:
        raise _refusal(fetcher) from error
    if fetcher.refused:  # some places, such as pictures inside SVG, swallow the refusal and leave a gap
        raise _refusal(fetcher)
    return Rendered(content, len(document.pages))


def _refusal(fetcher: DataOnlyFetcher) -> ItemError:
    what = fetcher.refused or "a data: URI that cannot be read"
    return ItemError("ResourceRefused", f"the HTML asks for {what}; embed pictures and styles as data: URIs")


def _letterhead(letterhead: object, shipment: Shipment) -> dict[str, Any]:
    if not isinstance(letterhead, dict) or not letterhead.get("name"):
        return {"name": shipment.sender.name, "lines": shipment.sender.lines, "logo": ""}
    lines = letterhead.get("lines")
    return {
        "name": str(letterhead["name"]),
        "lines": [str(line) for line in lines][:6] if isinstance(lines, list) else [],
        "logo": str(letterhead.get("logo") or ""),
    }


def _barcode(tracking_number: str) -> str:
    """The barcode, or nothing where Code 128 cannot hold the number: it is printed as text all the same."""
    try:
        return barcode.svg(tracking_number)
    except ValueError:
        return ""


def _warm_up() -> None:
    """Print one page so that fonts are found and loaded before the first request."""
    sample = {"tracking_number": "WARM-UP", "parcels": [{"weight_kg": 1, "description": "ÄΩЖ"}], "notes": "warm"}
    render_document("delivery_note", sample)


_warm_up()
