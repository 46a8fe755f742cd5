"""Why a file should not be trusted, found out before anybody sees it. Nothing here changes a file.

A PDF is read by pypdf from a bounded file; the rest is told from first bytes. Every reason is a sentence for people.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from shipments.documents.scripted import scripted

PDF, PNG, JPEG, TIFF = "application/pdf", "image/png", "image/jpeg", "image/tiff"
PDF_TAIL = 1_024
"""Readers look for the end marker in the last 1,024 bytes (ISO 32000-1, annex H, note 18)."""
PDF_PIECE = 16 << 20
"""Bytes of a PDF that its inspection may hold at once."""
LARGEST = 200 << 20
"""Bytes of a document that people can still work with; carriers' documents have some 100 kB."""
EXTENSIONS = {PDF: ".pdf", PNG: ".png", JPEG: ".jpg", TIFF: ".tif"}
_NAMED = {".pdf": PDF, ".png": PNG, ".jpg": JPEG, ".jpeg": JPEG, ".tif": TIFF, ".tiff": TIFF}
_WORDS = {PDF: "a PDF", PNG: "a PNG picture", JPEG: "a JPEG picture", TIFF: "a TIFF picture"}
_KNOWN = (
    (b"%PDF-", PDF), (b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG), (b"II*\x00", TIFF), (b"MM\x00*", TIFF),
)  # fmt: skip
_OTHERS = (
    (b"MZ", "a Windows program"), (b"\x7fELF", "a Linux program"), (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"#!", "a script"), (b"PK\x03\x04", "a ZIP archive or an Office file"), (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"), (b"\x1f\x8b", "a gzip archive"), (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"GIF8", "a GIF picture"), (b"{\\rtf", "an RTF text"), (b"%!PS", "a PostScript file"), (b"^XA", "a ZPL label"),
)  # fmt: skip
_HTML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body|script|svg|\?xml|!--)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Inspected:
    """`problem` is empty when the file may be trusted."""

    pages: int | None
    problem: str


def kind_of(head: bytes) -> str:
    """The media type that first bytes show; empty for what we keep no documents of."""
    return next((kind for start, kind in _KNOWN if head.startswith(start)), "")


def words_for(head: bytes) -> str:
    """What first bytes look like, for people."""
    if kind := kind_of(head):
        return _WORDS[kind]
    if _HTML.match(head):
        return "a web page or XML"
    return next((words for start, words in _OTHERS if head.startswith(start)), "of an unknown kind")


def inspect(stream: BinaryIO, content_type: str, name: str = "") -> Inspected:
    """Page count, and why the file should not be trusted (empty text: it may be).

    Args:
        name: what the sender called it; its ending must not contradict the content.
    """
    size = stream.seek(0, io.SEEK_END)
    if not size:
        return Inspected(None, "the file is empty")
    if size > LARGEST:
        return Inspected(None, f"too large: {size / (1 << 20):,.0f} MB, at most {LARGEST >> 20} MB are taken")
    stream.seek(0)
    head = stream.read(PDF_TAIL)
    if why := _disguised(head, content_type, name):
        return Inspected(None, why)
    if content_type != PDF:
        return _image(stream, content_type)
    stream.seek(max(0, size - PDF_TAIL))
    if b"%%EOF" not in stream.read(PDF_TAIL):
        return Inspected(None, "truncated: the PDF has no end marker (%%EOF)")
    return _pdf(Bounded(stream, size))


def _disguised(head: bytes, content_type: str, name: str) -> str:
    if content_type not in EXTENSIONS:
        return f"unexpected kind of file: {content_type[:80]}; it is {words_for(head)}"
    named = _NAMED.get(PurePosixPath(name).suffix.lower())
    if named and named != content_type:
        return f"the name promises {_WORDS[named]}, but it is {words_for(head)}"
    if kind_of(head) == content_type:
        return ""
    if content_type == PDF and b"%PDF-" in head and words_for(head) == "of an unknown kind":
        return ""  # something before the header, as printers write it, is allowed
    if content_type == PDF:
        return f"not a PDF: the file does not start with %PDF-, it is {words_for(head)}"
    return f"not {_WORDS[content_type]}: it is {words_for(head)}"


def _image(stream: BinaryIO, content_type: str) -> Inspected:
    from PIL import Image

    try:
        stream.seek(0)
        with Image.open(stream, formats=("PNG", "JPEG", "TIFF")) as picture:
            pages = getattr(picture, "n_frames", 1)
            picture.verify()
    except Exception as error:  # noqa: BLE001  # pillow raises nearly anything on broken files; all mean "unreadable"
        return Inspected(None, f"the picture cannot be read: {type(error).__name__}")
    return Inspected(pages, "")


class Bounded(io.RawIOBase):
    """A file that cannot be asked for more than `PDF_PIECE` bytes at once.

    A page count needs little of a PDF; but pypdf loads the whole file to repair a broken one, and believes lengths.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._size - self._stream.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > PDF_PIECE:
            raise MemoryError(f"{wanted} bytes at once")
        return self._stream.read(wanted)

    def pieces(self, overlap: int) -> Iterator[bytes]:
        """All of it, a megabyte at a time; each piece begins with the last `overlap` bytes of the one before."""
        self._stream.seek(0)
        last = b""
        while piece := self._stream.read(1 << 20):
            yield last + piece
            last = piece[-overlap:]


def _pdf(stream: Bounded) -> Inspected:
    from pypdf import PdfReader  # loaded only where a PDF is read: 0.3 s

    try:
        stream.seek(0)
        reader: Any = PdfReader(stream)  # type: ignore[arg-type]  # it asks for a buffered file, and reads like from any
        if reader.is_encrypted and not reader.decrypt(""):
            return Inspected(None, "the PDF is locked with a password")
        pages = len(reader.pages)
        problem = scripted(reader, stream.pieces(16)) if pages else "the PDF has no pages"
    except Exception as error:  # noqa: BLE001  # pypdf raises nearly anything on broken files; all mean "unreadable"
        return Inspected(None, f"the PDF cannot be read: {type(error).__name__}")
    return Inspected(pages, problem)
