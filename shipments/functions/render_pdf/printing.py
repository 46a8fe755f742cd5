"""HTML to the bytes of a PDF, with nothing opened but data: URIs.

WeasyPrint is imported here; that takes seconds and belongs into INIT, not into the first document.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from PIL import Image
from weasyprint import CSS, HTML
from weasyprint.document import Document
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from shipments.functions.runtime.errors import ItemError

MOST_PAGES = 200
LONGEST_HTML = 2_000_000
LARGEST_PDF = 20_000_000
SHOWN_WARNINGS = 20
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


def print_html(
    html: str, styles: list[CSS], fonts: FontConfiguration, options: Mapping[str, Any] | None = None
) -> Rendered:
    """Raises ItemError: TooLarge, ResourceRefused."""
    with _laid_out(html, styles, fonts) as document:
        pages = len(document.pages)
        content = document.write_pdf(**(options or {}))
    if len(content) > LARGEST_PDF:
        raise ItemError("TooLarge", f"the document has {len(content)} bytes; at most {LARGEST_PDF} are kept")
    return Rendered(content, pages)


@contextmanager
def _laid_out(html: str, styles: list[CSS], fonts: FontConfiguration) -> Iterator[Document]:
    fetcher = DataOnlyFetcher()
    try:
        document = HTML(string=html, url_fetcher=fetcher).render(stylesheets=styles, font_config=fonts)
        if len(document.pages) > MOST_PAGES:
            raise ItemError(
                "TooLarge", f"the document has {len(document.pages)} pages; at most {MOST_PAGES} are printed"
            )
        yield document
    except FatalURLFetchingError as error:
        raise _refusal(fetcher) from error
    if fetcher.refused:  # some places, such as pictures inside SVG, swallow the refusal and leave a gap
        raise _refusal(fetcher)


def _refusal(fetcher: DataOnlyFetcher) -> ItemError:
    what = fetcher.refused or "a data: URI that cannot be read"
    return ItemError("ResourceRefused", f"the HTML asks for {what}; embed pictures and styles as data: URIs")


class _Kept(logging.Handler):
    """Collects what WeasyPrint says."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.lines) < SHOWN_WARNINGS:
            self.lines.append(record.getMessage()[:200])


def read_css(css: str) -> tuple[CSS, list[str]]:
    """The style sheet, and what in it means nothing ("at 3:5": line and column). Nothing is fetched.

    Raises ItemError("ResourceRefused").
    """
    fetcher, kept, logger = DataOnlyFetcher(), _Kept(), logging.getLogger("weasyprint")
    logger.addHandler(kept)
    try:
        style = CSS(string=css, url_fetcher=fetcher, font_config=FontConfiguration())
    except FatalURLFetchingError as error:
        raise _refusal(fetcher) from error
    finally:
        logger.removeHandler(kept)
    if fetcher.refused:
        raise _refusal(fetcher)
    return style, kept.lines


def merged(parts: list[Rendered]) -> Rendered:
    """One PDF of the pages of many, in order; the first one's metadata and colour profile count."""
    if len(parts) == 1:
        return parts[0]
    from io import BytesIO  # long manifests only

    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=BytesIO(parts[0].content))
    for part in parts[1:]:
        for page in PdfReader(BytesIO(part.content)).pages:
            writer.add_page(page)
    target = BytesIO()
    writer.write(target)
    return Rendered(target.getvalue(), sum(part.pages for part in parts))
