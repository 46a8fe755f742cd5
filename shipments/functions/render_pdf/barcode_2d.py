"""QR and DataMatrix as one inline SVG path each. Drawn by zxing-cpp; only its path is taken, sizes are ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

import zxingcpp

LONGEST = 300
_DRAWN = re.compile(r'<rect x="0" y="0" width="(\d+)" height="(\d+)".*?<path d="([^"]+)"', re.S)


_RECT = re.compile(r"M(\d+) (\d+)h(\d+)v(\d+)")


@dataclass(frozen=True)
class Symbol:
    """A drawn code: `size` modules wide and high with its quiet zone, and its dark rectangles (x, y, width, height)."""

    size: int
    path: str

    @property
    def rectangles(self) -> list[tuple[int, int, int, int]]:
        return [(int(x), int(y), int(w), int(h)) for x, y, w, h in _RECT.findall(self.path)]

    def svg(self, size_mm: float) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size_mm}mm" height="{size_mm}mm"'
            f' viewBox="0 0 {self.size} {self.size}"><path d="{self.path}"/></svg>'
        )


def qr(text: str) -> Symbol:
    """With its quiet zone of four modules; error correction M (15 %)."""
    return _symbol(text, zxingcpp.BarcodeFormat.QRCode, options="ecLevel=M")


def data_matrix(text: str) -> Symbol:
    """Square, with its quiet zone of one module."""
    return _symbol(text, zxingcpp.BarcodeFormat.DataMatrix, options="forceSquare")


def _symbol(text: str, format: zxingcpp.BarcodeFormat, **options: str) -> Symbol:  # noqa: A002  # zxing's word
    """Raises ValueError for text that no symbol holds."""
    if not text or len(text) > LONGEST:
        raise ValueError(f"a code holds 1 to {LONGEST} characters, not {len(text)}")
    found = _DRAWN.search(zxingcpp.create_barcode(text, format, **options).to_svg())
    if found is None or found[1] != found[2]:
        raise ValueError("the code was drawn in a way we do not know")
    return Symbol(int(found[1]), found[3])
