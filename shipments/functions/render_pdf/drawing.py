"""A small PDF of text, lines and rectangles, drawn by place: for labels, where a layout engine costs ten times as much."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from shipments.functions.render_pdf.truetype import Face

MM = 72 / 25.4
REGULAR, BOLD = "R", "B"


@dataclass
class Page:
    """One page of `width` x `height` millimetres; y counts from the top."""

    width: float
    height: float
    faces: dict[str, Face]
    used: dict[str, set[str]]
    said: list[tuple[str, float, float, float, str, float]] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, size: float, font: str = REGULAR, spacing: float = 0.0) -> None:
        """A line with its baseline at `y`; size and spacing in points."""
        self.used[font].update(text)
        self.said.append((font, size, x, y, text, spacing))

    def right(self, x: float, y: float, text: str, size: float, font: str = REGULAR) -> None:
        self.text(x - self.measure(text, size, font), y, text, size, font)

    def centred(self, x: float, y: float, text: str, size: float, font: str = REGULAR) -> None:
        self.text(x - self.measure(text, size, font) / 2, y, text, size, font)

    def rule(self, y: float, thickness: float) -> None:
        """Across the page; thickness in points."""
        self.rectangle(0, y, self.width, thickness / MM)

    def rectangle(self, x: float, y: float, width: float, height: float) -> None:
        self.drawn.append(f"{x * MM:.3f} {(self.height - y - height) * MM:.3f} {width * MM:.3f} {height * MM:.3f} re")

    def measure(self, text: str, size: float, font: str = REGULAR) -> float:
        """Millimetres."""
        return self.faces[font].width(text) * size / 1000 / MM

    def wrapped(self, text: str, width: float, size: float, font: str = REGULAR) -> list[str]:
        """Lines no wider than `width` millimetres; a word that is wider is broken."""
        lines, line = [], ""
        for word in text.split():
            if line and self.measure(f"{line} {word}", size, font) > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
            while self.measure(line, size, font) > width and len(line) > 1:
                keep = next(
                    n for n in range(len(line) - 1, 0, -1) if n == 1 or self.measure(line[:n], size, font) <= width
                )
                lines.append(line[:keep])
                line = line[keep:]
        return [*lines, line] if line else lines

    def content(self, numbers: dict[str, dict[str, int]]) -> bytes:
        """`numbers`: of each character in each embedded font."""
        parts = [*self.drawn, "f", "BT"]
        for font, size, x, y, text, spacing in self.said:
            codes = "".join(f"{numbers[font][char]:04X}" for char in text)
            place = f"1 0 0 1 {x * MM:.3f} {(self.height - y) * MM:.3f} Tm"
            parts.append(f"/{font} {size:g} Tf {spacing:g} Tc {place} <{codes}> Tj")
        parts.append("ET")
        return "\n".join(parts).encode()


class Drawing:
    """Pages that share their fonts."""

    def __init__(self, faces: dict[str, Face]) -> None:
        self.faces = faces
        self.used: dict[str, set[str]] = {name: set() for name in faces}
        self.pages: list[Page] = []

    def page(self, width: float, height: float) -> Page:
        self.pages.append(Page(width, height, self.faces, self.used))
        return self.pages[-1]

    def pdf(self, title: str, language: str) -> bytes:
        file = _File()
        fonts, numbers = [], {}
        for name, characters in self.used.items():
            if characters:
                content, numbers[name] = self.faces[name].subset(characters)
                fonts.append(f"/{name} {_font(file, self.faces[name], name, content, numbers[name])}")
        pages = file.reserve()
        kids = []
        for page in self.pages:
            stream = file.stream(page.content(numbers))
            kids.append(file.add(
                f"<</Type/Page/Parent {pages}/MediaBox[0 0 {page.width * MM:.2f} {page.height * MM:.2f}]"
                f"/Resources<</Font<<{''.join(fonts)}>>>>/Contents {stream}>>"
            ))  # fmt: skip
        file.fill(pages, f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(kids)}]>>")
        catalog = file.add(
            f"<</Type/Catalog/Pages {pages}/Lang({language})/ViewerPreferences<</DisplayDocTitle true>>>>"
        )
        return file.finish(catalog, file.add(f"<</Title<{_utf16(title)}>>>"))


class _File:
    """PDF objects in order, and where each begins."""

    def __init__(self) -> None:
        self.objects: list[bytes] = []

    def reserve(self) -> str:
        self.objects.append(b"")
        return f"{len(self.objects)} 0 R"

    def fill(self, reference: str, body: str | bytes) -> None:
        self.objects[int(reference.split()[0]) - 1] = body.encode("latin-1") if isinstance(body, str) else body

    def add(self, body: str | bytes) -> str:
        reference = self.reserve()
        self.fill(reference, body)
        return reference

    def stream(self, content: bytes, extra: str = "") -> str:
        packed = zlib.compress(content, 6)
        head = f"<</Filter/FlateDecode/Length {len(packed)}{extra}>>stream\n".encode()
        return self.add(head + packed + b"\nendstream")

    def finish(self, catalog: str, info: str) -> bytes:
        out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, body in enumerate(self.objects, 1):
            places.append(len(out))
            out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
        start = len(out)
        table = "".join(f"{place:010d} 00000 n \n" for place in places)
        size = len(places) + 1
        out += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n".encode()
        out += f"<</Size {size}/Root {catalog}/Info {info}>>\nstartxref\n{start}\n%%EOF\n".encode()
        return bytes(out)


def _font(file: _File, face: Face, name: str, content: bytes, numbers: dict[str, int]) -> str:
    base = f"{'LABEL' + name}+Label-{'Bold' if name == BOLD else 'Regular'}"
    data = file.stream(content, f"/Length1 {len(content)}")
    box = " ".join(map(str, face.box))
    descriptor = file.add(
        f"<</Type/FontDescriptor/FontName/{base}/Flags 4/FontBBox[{box}]/ItalicAngle 0/Ascent {face.ascent}"
        f"/Descent {face.descent}/CapHeight {face.ascent}/StemV 80/FontFile2 {data}>>"
    )
    widths = " ".join(
        f"{number}[{face.width(char):.0f}]" for char, number in sorted(numbers.items(), key=lambda one: one[1])
    )
    descendant = file.add(
        f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{base}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        f"/CIDToGIDMap/Identity/DW 1000/W[{widths}]/FontDescriptor {descriptor}>>"
    )
    lines = "\n".join(f"<{number:04X}> <{_utf16(char, mark='')}>" for char, number in numbers.items())
    cmap = (
        "/CIDInit/ProcSet findresource begin 12 dict begin begincmap/CMapType 2 def\n"
        "1 begincodespacerange<0000><FFFF>endcodespacerange\n"
        f"{_blocks(lines)}\nendcmap end end"
    )
    return file.add(
        f"<</Type/Font/Subtype/Type0/BaseFont/{base}/Encoding/Identity-H/DescendantFonts[{descendant}]"
        f"/ToUnicode {file.stream(cmap.encode())}>>"
    )


def _blocks(lines: str) -> str:
    """At most 100 mappings in a block (Adobe technical note 5014)."""
    every = lines.split("\n")
    cut = [every[at : at + 100] for at in range(0, len(every), 100)]
    return "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in cut)


def _utf16(text: str, mark: str = "FEFF") -> str:
    return mark + text.encode("utf-16-be").hex().upper()
