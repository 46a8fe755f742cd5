"""From a shipment's data to a finished document: built-in or custom template, words, codes, PDF."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from shipments.functions.render_pdf import barcode
from shipments.functions.render_pdf.bounds import MOST_SECONDS, limited
from shipments.functions.render_pdf.drawing import BOLD, REGULAR
from shipments.functions.render_pdf.kinds import CMR_LINES, Kind, check_complete, cmr_lines, kind_of
from shipments.functions.render_pdf.label import draw_label, pieces_of
from shipments.functions.render_pdf.language import Locale, locale_for
from shipments.functions.render_pdf.printing import (
    LONGEST_HTML,
    Rendered,
    merged,
    print_html,
    read_css,
)
from shipments.functions.render_pdf.sandbox import CustomTemplate, compile_template, run_template
from shipments.functions.render_pdf.shipment import Party, Shipment, parse_manifest, parse_shipment
from shipments.functions.render_pdf.sources import SHEETS, TEMPLATES
from shipments.functions.render_pdf.truetype import Face
from shipments.functions.runtime.errors import ItemError

MOST_ROWS = 2_000
FIRST_PAGE_ROWS, PAGE_ROWS, SIGNATURE_ROWS, PAGES_AT_ONCE = 18, 24, 4, 4
"""Rows of a manifest have one height, so that pages are known before they are laid out. Four pages are laid out at once:
memory does not grow with the number of rows."""
CACHED_TEMPLATES = 20
_environment = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_fonts = FontConfiguration()
_styles = {
    name: [CSS(filename=TEMPLATES / f"{sheet}.css", font_config=_fonts) for sheet in sheets]
    for name, sheets in SHEETS.items()
}
_custom: OrderedDict[str, CustomTemplate] = OrderedDict()


def render_document(
    document_type: str,
    data: object,
    locale: object = "en",
    letterhead: object = None,
    template: object = None,
) -> Rendered:
    """Print the document of `document_type` for the shipment in `data` (for a manifest: its deliveries).

    `letterhead` is an optional object with name, lines (list) and logo (a data: URI); without it the sender's name and
    address head the page. `template` is an administrator's own: {html, css, sha256, version}.
    Raises ItemError: UnknownDocumentType, BadData, MissingData, TooLarge, BadTemplate, ResourceRefused.
    """
    kind, language = kind_of(document_type), locale_for(locale)
    if template is not None:
        variables = variables_of(kind, data, language, letterhead)
        with limited(_seconds(template)):
            custom = custom_template(template)
            html = run_template(custom, variables)
            return print_html(html, [custom.style], FontConfiguration(), dict(kind.pdf))
    if kind.slug == "label" and len(_faces()) > 1:
        drawn = draw_label(_complete(kind, data), language, _faces())
        if drawn is not None:
            return Rendered(*drawn)
    pages = built_in_html(kind, variables_of(kind, data, language, letterhead))
    return merged([print_html(html, styles_of(kind), _fonts, dict(kind.pdf)) for html in pages])


def built_in_html(kind: Kind, variables: Mapping[str, Any]) -> Iterator[str]:
    """The built-in page; a manifest in parts of a few pages each."""
    template = _environment.get_template(f"{kind.slug}.html")
    if kind.slug != "manifest":
        yield template.render(variables)
        return
    sheets = variables["sheets"]
    for at in range(0, len(sheets), PAGES_AT_ONCE):
        yield template.render({**variables, "sheets": sheets[at : at + PAGES_AT_ONCE]})


def styles_of(kind: Kind) -> list[CSS]:
    """The parsed style sheets of a built-in page."""
    return _styles[kind.slug]


def _complete(kind: Kind, data: object) -> Shipment:
    shipment = parse_shipment(data)
    check_complete(kind, shipment)
    return shipment


def _seconds(template: object) -> float:
    """A preview asks for less time than a batch."""
    asked = template.get("seconds") if isinstance(template, dict) else None
    return float(asked) if isinstance(asked, int) and not isinstance(asked, bool) and asked > 0 else MOST_SECONDS


def custom_template(fields: object) -> CustomTemplate:
    """Compiled once in a warm function; known by its content's digest."""
    if not isinstance(fields, dict):
        raise ItemError("BadTemplate", "a template is a JSON object with html, css and sha256")
    known = str(fields.get("sha256"))
    if known in _custom:
        _custom.move_to_end(known)
        return _custom[known]
    made = compile_template(fields, read_css)
    _custom[known] = made
    if len(_custom) > CACHED_TEMPLATES:
        _custom.popitem(last=False)
    return made


def render_html(html: object) -> Rendered:
    """Print ready-made HTML as it is; no template language is evaluated in it.

    Raises ItemError: BadData, TooLarge, ResourceRefused (it asks for anything but data: URIs).
    """
    if not isinstance(html, str) or not html.strip():
        raise ItemError("BadData", "html must be text, or null to use the template of the document type")
    if len(html) > LONGEST_HTML:
        raise ItemError("TooLarge", f"html has {len(html)} characters; at most {LONGEST_HTML} are printed")
    return print_html(html, [], FontConfiguration())  # its own, so that fonts it brings stay with it


def _sheets(rows: int) -> list[tuple[int, int, int]]:
    """(page, first row, row after the last one); the last page always has room for the signatures."""
    sheets: list[tuple[int, int, int]] = []
    first, room = 0, FIRST_PAGE_ROWS
    while first < rows:
        left = rows - first
        taken = room if left > room else left if left <= room - SIGNATURE_ROWS else room - SIGNATURE_ROWS
        sheets.append((len(sheets) + 1, first, first + taken))
        first, room = first + taken, PAGE_ROWS
    return sheets


def variables_of(kind: Kind, data: object, language: Locale, letterhead: object) -> dict[str, Any]:
    """What a template may use; docs/templates.md lists them."""
    variables: dict[str, Any] = {"locale": language, "words": language.words}
    if kind.slug == "manifest":
        manifest = parse_manifest(data, MOST_ROWS)
        sheets = _sheets(len(manifest.rows))
        return variables | {
            "manifest": manifest, "head": _letterhead(letterhead, manifest.sender, language),
            "barcode": _line(manifest.number), "pages": len(sheets),
            "sheets": [(number, manifest.rows[first:last], first) for number, first, last in sheets],
        }  # fmt: skip
    shipment = _complete(kind, data)
    variables |= {"shipment": shipment, "head": _letterhead(letterhead, shipment.sender, language)}
    if kind.slug == "label":
        return variables | {"pieces": pieces_of(shipment)}
    if kind.slug == "cmr_waybill":
        lines, more = cmr_lines(shipment.parcels)
        second = locale_for("en" if language.code != "en" else "fr")
        variables |= {
            "lines": lines, "more": more, "most_lines": CMR_LINES, "copies": (1, 2, 3, 4), "second": second.words,
        }  # fmt: skip
    return variables | {"barcode": _line(shipment.tracking_number)}


def _letterhead(letterhead: object, sender: Party, language: Locale) -> dict[str, Any]:
    if not isinstance(letterhead, dict) or not letterhead.get("name"):
        return {"name": sender.name, "lines": language.address(sender), "logo": ""}
    lines = letterhead.get("lines")
    return {
        "name": str(letterhead["name"]),
        "lines": [str(line) for line in lines][:6] if isinstance(lines, list) else [],
        "logo": str(letterhead.get("logo") or ""),
    }


def _line(text: str) -> str:
    """The barcode, or nothing where Code 128 cannot hold the number: it is printed as text all the same."""
    try:
        return barcode.svg(text)
    except ValueError:
        return ""


@cache
def _faces() -> dict[str, Face]:
    """The fonts that documents are printed in, as WeasyPrint found them; nothing when they are not TrueType."""
    html = '<p style="font-family: Liberation Sans, DejaVu Sans, sans-serif">a<b>b</b></p>'
    document = HTML(string=html).render(font_config=_fonts)
    document.write_pdf(full_fonts=True)
    found = {BOLD if font.weight > 550 else REGULAR: Face.read(font.file_content) for font in document.fonts.values()}
    return {name: face for name, face in found.items() if face} if all(found.values()) else {}


def _warm_up() -> None:
    """Print one page so that fonts are found and loaded before the first request."""
    sample = {"tracking_number": "WARM-UP", "parcels": [{"weight_kg": 1, "description": "ÄΩЖ"}], "notes": "warm"}
    render_document("delivery_note", sample)
    _faces()


_warm_up()
