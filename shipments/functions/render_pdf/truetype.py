"""Just enough of TrueType to embed the few glyphs of a label: much quicker than a general subsetter.

A PDF needs of a font: outlines (glyf, loca), widths (hhea, hmtx), head and maxp, and what its hinting calls (cvt, fpgm,
prep). Glyphs get new numbers; composite ones point to the new numbers of their parts.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

from fontTools.ttLib import TTFont

_KEPT = ("cvt ", "fpgm", "prep")
_ARGS_ARE_WORDS, _HAS_SCALE, _MORE, _HAS_XY_SCALE, _HAS_MATRIX = 0x1, 0x8, 0x20, 0x40, 0x80


@dataclass(frozen=True)
class Face:
    """A font whose outlines are TrueType. Widths in thousandths of its size."""

    tables: dict[str, bytes]
    characters: dict[int, int]
    advances: list[tuple[int, int]]
    offsets: tuple[int, ...]
    units: int
    ascent: int
    descent: int
    box: tuple[int, int, int, int]

    @classmethod
    def read(cls, content: bytes) -> Face | None:
        """None for a font with other outlines."""
        font = TTFont(io.BytesIO(content), fontNumber=0, lazy=True)
        if "glyf" not in font or "cmap" not in font:
            return None
        reader = font.reader
        names = ("glyf", "head", "hhea", "maxp", *(name for name in _KEPT if name in font))
        order = {name: number for number, name in enumerate(font.getGlyphOrder())}
        head, metrics = font["head"], font["hmtx"].metrics
        return cls(
            {name: reader[name] for name in names},
            {code: order[name] for code, name in font.getBestCmap().items()},
            [metrics[name] for name in font.getGlyphOrder()],
            tuple(font["loca"].locations),
            head.unitsPerEm,
            font["hhea"].ascent * 1000 // head.unitsPerEm,
            font["hhea"].descent * 1000 // head.unitsPerEm,
            tuple(value * 1000 // head.unitsPerEm for value in (head.xMin, head.yMin, head.xMax, head.yMax)),
        )

    def covers(self, text: str) -> bool:
        return all(ord(char) in self.characters for char in text)

    def width(self, text: str) -> float:
        """Of a line, in thousandths of the font size."""
        return sum(self.advances[self.characters[ord(char)]][0] for char in text) * 1000 / self.units

    def subset(self, characters: set[str]) -> tuple[bytes, dict[str, int]]:
        """(a font file with these characters only, the number of each in it)."""
        numbers: dict[int, int] = {0: 0}
        for char in sorted(characters):
            numbers.setdefault(self.characters[ord(char)], len(numbers))
        outlines = []
        waiting = list(numbers)
        for glyph in waiting:  # grows while parts are found
            data = bytearray(self.tables["glyf"][self.offsets[glyph] : self.offsets[glyph + 1]])
            for at, part in _parts(data):
                if part not in numbers:
                    numbers[part] = len(numbers)
                    waiting.append(part)
                struct.pack_into(">H", data, at, numbers[part])
            outlines.append(bytes(data) + b"\0" * (-len(data) % 4))
        return self._file(waiting, outlines), {char: numbers[self.characters[ord(char)]] for char in characters}

    def _file(self, glyphs: list[int], outlines: list[bytes]) -> bytes:
        places = [0]
        for outline in outlines:
            places.append(places[-1] + len(outline))
        head, hhea, maxp = (bytearray(self.tables[name]) for name in ("head", "hhea", "maxp"))
        struct.pack_into(">I", head, 8, 0)  # the checksum of the whole file, which PDF readers do not look at
        struct.pack_into(">h", head, 50, 1)  # long offsets
        struct.pack_into(">H", hhea, 34, len(glyphs))
        struct.pack_into(">H", maxp, 4, len(glyphs))
        tables = {name: self.tables[name] for name in _KEPT if name in self.tables} | {
            "glyf": b"".join(outlines), "loca": struct.pack(f">{len(places)}I", *places),
            "hmtx": b"".join(struct.pack(">Hh", *self.advances[glyph]) for glyph in glyphs),
            "head": bytes(head), "hhea": bytes(hhea), "maxp": bytes(maxp),
        }  # fmt: skip
        return _font_file(tables)


def _parts(data: bytearray) -> list[tuple[int, int]]:
    """(where its number stands, the glyph) for each part of a composite outline."""
    if len(data) < 10 or struct.unpack_from(">h", data)[0] >= 0:
        return []
    found, at, flags = [], 10, _MORE
    while flags & _MORE:
        flags, part = struct.unpack_from(">HH", data, at)
        found.append((at + 2, part))
        at += 4 + (4 if flags & _ARGS_ARE_WORDS else 2)
        at += 2 if flags & _HAS_SCALE else 4 if flags & _HAS_XY_SCALE else 8 if flags & _HAS_MATRIX else 0
    return found


def _font_file(tables: dict[str, bytes]) -> bytes:
    power = 1 << (len(tables).bit_length() - 1)
    header = struct.pack(
        ">IHHHH", 0x00010000, len(tables), power * 16, power.bit_length() - 1, (len(tables) - power) * 16
    )
    directory, body, at = [], [], 12 + 16 * len(tables)
    for name, data in sorted(tables.items()):
        padded = data + b"\0" * (-len(data) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        directory.append(struct.pack(">4sIII", name.encode(), total, at, len(data)))
        body.append(padded)
        at += len(padded)
    return b"".join([header, *directory, *body])
