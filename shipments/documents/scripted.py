"""PDFs that do something: scripts, programs to start, files inside. Documents of carriers have no need of it.

First the bytes are looked through for the names that such things need. Only where one occurs, or where objects may be
packed or spelled in a way that hides it, every object is read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

MOST_OBJECTS = 20_000
MOST_SECONDS = 3.0
_SUSPICIOUS = re.compile(
    rb"/(?:JavaScript|JS(?![A-Za-z])|Launch|EmbeddedFile|OpenAction|RichMedia|ObjStm|Encrypt|[A-Za-z]*#[0-9A-Fa-f]{2})"
)
_ACTIONS = {
    "/JavaScript": "the PDF contains JavaScript",
    "/Launch": "the PDF would start a program",
    "/ImportData": "the PDF would read in a file",
    "/Rendition": "the PDF plays media",
}


def scripted(reader: Any, pieces: Iterable[bytes]) -> str:
    """Why the PDF is more than paper; empty when it is not.

    Args:
        reader: pypdf's reader of it, unlocked.
        pieces: its bytes, overlapping enough that no name is cut.
    """
    if not any(_SUSPICIOUS.search(piece) for piece in pieces):
        return ""
    found = _opening(reader)
    if found:
        return found
    until = time.monotonic() + MOST_SECONDS
    for count, value in enumerate(_objects(reader)):
        if count > MOST_OBJECTS or time.monotonic() > until:
            return "the PDF is too complicated to be checked for scripts"
        if isinstance(value, dict) and (found := _of(value)):
            return found
    return ""


def _opening(reader: Any) -> str:
    """What happens when it is opened: going to a page is harmless, anything else is named."""
    root = reader.trailer["/Root"]
    action = root["/OpenAction"] if "/OpenAction" in root else None  # noqa: SIM401  # by index a reference is followed
    if not isinstance(action, dict) or action.get("/S") == "/GoTo":
        return ""
    return _of(action) or f"the PDF does something when it is opened ({action.get('/S', '?')})"


def _objects(reader: Any) -> Iterator[Any]:
    """Every object; values that lie inside of others come with them."""
    from pypdf.generic import IndirectObject  # loaded only where a PDF is read: 0.3 s

    numbers = [(number, generation) for generation, known in reader.xref.items() for number in known]
    numbers += [(number, 0) for number in reader.xref_objStm]
    for number, generation in numbers:
        yield from _nested(reader.get_object(IndirectObject(number, generation, reader)), 4)


def _nested(value: Any, depth: int) -> Iterator[Any]:
    yield value
    if not depth:
        return
    inner: Iterable[Any] = ()
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list):
        inner = value
    for part in inner:
        if isinstance(part, dict | list):  # references are objects of their own
            yield from _nested(part, depth - 1)


def _of(value: dict[Any, Any]) -> str:
    if words := _ACTIONS.get(str(value.get("/S", ""))):
        return words
    if "/JS" in value:
        return _ACTIONS["/JavaScript"]
    if value.get("/Type") == "/EmbeddedFile" or "/EF" in value or "/EmbeddedFiles" in value:
        return "the PDF carries other files inside"
    if value.get("/Subtype") == "/RichMedia":
        return _ACTIONS["/Rendition"]
    return ""
