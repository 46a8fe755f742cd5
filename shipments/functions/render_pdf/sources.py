"""The built-in pages as templates to begin with, and what tells templates apart. Nothing heavy is imported: the web
application reads this too.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
LONGEST_SOURCE = 200_000
"""Characters of HTML and CSS together."""
SHEETS = {
    "delivery_note": ["delivery_note"], "packing_list": ["delivery_note"], "commercial_invoice": ["delivery_note"],
    "cmr_waybill": ["cmr_waybill"], "label": ["label"], "manifest": ["delivery_note", "manifest"],
}  # fmt: skip
_INCLUDE = re.compile(r'\{% include "([a-z_.]+)" %\}\n?')


def builtin_source(document_type: str) -> tuple[str, str]:
    """(HTML, CSS) of a built-in page as one template, with its included parts in place. Raises KeyError."""
    css = "".join((TEMPLATES / f"{sheet}.css").read_text(encoding="utf-8") for sheet in SHEETS[document_type])
    html = (TEMPLATES / f"{document_type}.html").read_text(encoding="utf-8")
    while found := _INCLUDE.search(html):
        html = html[: found.start()] + (TEMPLATES / found[1]).read_text(encoding="utf-8") + html[found.end() :]
    return html, css


def digest(html: str, css: str) -> str:
    """SHA-256 of a template's content."""
    return hashlib.sha256(f"{len(html)}:{html}{css}".encode()).hexdigest()
