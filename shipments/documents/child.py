"""The process that opens files of others: reads text, draws pages, finds barcodes, puts PDFs together.

Run by `reader`, in a process of its own without our secrets: a file that makes a library loop, crash or eat memory costs
this process and nothing else. PDFium must not be used by two threads; here there is one.

A line of JSON in, a line of JSON out. `{"op": "text", "path": "/tmp/x", "kind": "application/pdf", …}` is answered by
`{"ok": true, …}` or `{"ok": false, "reason": "…"}`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

MEMORY = 2 << 30
PDF = "application/pdf"
MOST_PIXELS = 80_000_000
_BROKEN = {"\0": "", "\ufffe": "", "\ufeff": "", "\ue000": "", "\ue001": "", "\r\n": "\n", "\r": "\n"}

Answer = dict[str, Any]


class TooMuchError(ValueError):
    """More than is handled; the text is for people."""


# --- opening ------------------------------------------------------------------------------------------------------


@contextmanager
def opened(path: str) -> Iterator[Any]:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    with closing(document):
        yield document


@contextmanager
def picture(path: str) -> Iterator[Any]:
    from PIL import Image

    with Image.open(path, formats=("PNG", "JPEG", "TIFF")) as image:
        if image.width * image.height > MOST_PIXELS:
            raise TooMuchError(f"the picture has {image.width} x {image.height} points")
        yield image


def drawn(path: str, kind: str, page: int, longest: int) -> Any:
    """One page as a picture whose longer side has `longest` points; on white."""
    from PIL import Image

    if kind == PDF:
        with opened(path) as document:
            sheet = document[page]
            width, height = sheet.get_size()
            shown = sheet.render(scale=longest / max(width, height, 1), may_draw_forms=False).to_pil()
            return shown.convert("RGB")
    with picture(path) as image:
        image.seek(page)
        image.draft("RGB", (longest, longest))
        plain = image.convert("RGBA")
    plain.thumbnail((longest, longest))
    white = Image.new("RGB", plain.size, "white")
    white.paste(plain, mask=plain.getchannel("A"))
    return white


# --- what can be asked --------------------------------------------------------------------------------------------


def text(path: str, kind: str, most_pages: int, most_chars: int, seconds: float) -> Answer:
    """The text page by page, until one of the limits; `pages` is how many there are."""
    if kind != PDF:
        with picture(path) as image:
            return {"text": "", "pages": getattr(image, "n_frames", 1), "cut": False}
    try:
        return _by_pdfium(path, most_pages, most_chars, seconds)
    except (RuntimeError, ValueError):  # pypdfium2's errors are of these; pypdf opens some files that it does not
        return _by_pypdf(path, most_pages, most_chars, seconds)


def _by_pdfium(path: str, most_pages: int, most_chars: int, seconds: float) -> Answer:
    def of(document: Any, number: int) -> str:
        with closing(document[number]) as page, closing(page.get_textpage()) as words:
            return str(words.get_text_range(errors="ignore"))

    with opened(path) as document:
        return _gathered(len(document), lambda number: of(document, number), most_pages, most_chars, seconds)


def _by_pypdf(path: str, most_pages: int, most_chars: int, seconds: float) -> Answer:
    from pypdf import PdfReader

    reader = PdfReader(path)
    pages = reader.pages
    return _gathered(len(pages), lambda number: pages[number].extract_text(), most_pages, most_chars, seconds)


def _gathered(pages: int, of: Callable[[int], str], most_pages: int, most_chars: int, seconds: float) -> Answer:
    found: list[str] = []
    until, chars = time.monotonic() + seconds, 0
    for number in range(min(pages, most_pages)):
        found.append(_plain(of(number)))
        chars += len(found[-1])
        if chars > most_chars or time.monotonic() > until:
            break
    whole = "\f".join(found)
    return {"text": whole[:most_chars], "pages": pages, "cut": len(found) < pages or len(whole) > most_chars}


def _plain(words: str) -> str:
    for wrong, right in _BROKEN.items():
        words = words.replace(wrong, right)
    return words.encode("utf-8", "ignore").decode()  # no lone surrogates


def draw(path: str, kind: str, page: int, longest: int, target: str) -> Answer:
    """Write one page to `target` as WebP."""
    shown = drawn(path, kind, page, longest)
    shown.save(target, "WEBP", quality=80, method=2)
    return {"width": shown.width, "height": shown.height}


def barcodes(path: str, kind: str, most_pages: int, longest: int) -> Answer:
    import zxingcpp

    found = []
    for page in range(min(most_pages, _pages(path, kind))):
        for code in zxingcpp.read_barcodes(drawn(path, kind, page, longest).convert("L")):
            if code.text:
                found.append({"text": code.text[:200], "format": str(code.format), "page": page + 1})
    return {"codes": found}


def _pages(path: str, kind: str) -> int:
    if kind != PDF:
        with picture(path) as image:
            return int(getattr(image, "n_frames", 1))
    with opened(path) as document:
        return len(document)


class Merging:
    """One PDF put together of many; parts are added one by one, so that the asker knows how far it is."""

    def __init__(self) -> None:
        self.target: Any = None

    def begin(self) -> Answer:
        import pypdfium2

        self.target = pypdfium2.PdfDocument.new()
        return {}

    def add(self, path: str, kind: str) -> Answer:
        """Pictures become pages of A4, at most."""
        if kind == PDF:
            with opened(path) as document:
                self.target.import_pages(document)
        else:
            self._add_picture(path)
        return {"pages": len(self.target)}

    def _add_picture(self, path: str) -> None:
        import io

        import pypdfium2

        for number in range(_pages(path, "image")):
            page = io.BytesIO()
            drawn(path, "image", number, 2_400).save(page, "PDF", resolution=210)
            with closing(pypdfium2.PdfDocument(page.getvalue())) as made:
                self.target.import_pages(made)

    def save(self, target: str) -> Answer:
        self.target.save(target)
        pages = len(self.target)
        self.target.close()
        self.target = None
        return {"pages": pages}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    merging = Merging()
    known: dict[str, Callable[..., Answer]] = {
        "text": text, "draw": draw, "barcodes": barcodes,
        "begin": merging.begin, "add": merging.add, "save": merging.save,
    }  # fmt: skip
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"ok": True, **known[asked.pop("op")](**asked)}
        except MemoryError:
            answer = {"ok": False, "reason": "it needs more memory than a document may take"}
        except Exception as error:  # noqa: BLE001  # libraries raise nearly anything on broken files; the asker is told
            said = str(error) if isinstance(error, TooMuchError) else f"{type(error).__name__}: {error}"
            answer = {"ok": False, "reason": said[:200]}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
