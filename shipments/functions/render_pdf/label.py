"""The built-in label, 100 x 150 mm, drawn by place. `templates/label.html` is the same label for administrators to change;
it also prints what the fonts here do not cover.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shipments.functions.render_pdf import barcode, barcode_2d
from shipments.functions.render_pdf.drawing import BOLD, MM, REGULAR, Drawing, Page
from shipments.functions.render_pdf.language import Locale
from shipments.functions.render_pdf.shipment import Shipment
from shipments.functions.render_pdf.truetype import Face

WIDTH, HEIGHT, EDGE = 100.0, 150.0, 4.0
QR_MM, MATRIX_MM, BARS_MM, WIDEST_BARS_MM = 21.0, 17.0, 25.0, 92.0
ADDRESS_TOP, ADDRESS_BOTTOM = 24.5, 64.5
NAME_PT, LINE_PT, SMALLEST = 15.0, 12.5, 0.55


@dataclass(frozen=True)
class Piece:
    """One package. `code` is what its bars say, `shown` what is printed below them."""

    number: int
    count: int
    weight_kg: Decimal | None
    code: str
    shown: str
    where: str

    @property
    def bars(self) -> str:
        return _or_nothing(lambda: barcode.label_svg(self.code, WIDEST_BARS_MM, BARS_MM))

    @property
    def qr(self) -> str:
        return _or_nothing(lambda: self.qr_symbol().svg(QR_MM))

    @property
    def matrix(self) -> str:
        return _or_nothing(lambda: self.matrix_symbol().svg(MATRIX_MM))

    def qr_symbol(self) -> barcode_2d.Symbol:
        return barcode_2d.qr(f"{self.code}\n{self.number}/{self.count}\n{self.where}")

    def matrix_symbol(self) -> barcode_2d.Symbol:
        return barcode_2d.data_matrix(f"{self.code};{self.where}")


def pieces_of(shipment: Shipment) -> list[Piece]:
    """One label for each package; a package whose number is an SSCC is known by that, others by the tracking number."""
    parcels: list[Any] = [*shipment.parcels] or [None]
    where = f"{shipment.recipient.country}-{shipment.recipient.postcode}"
    pieces = []
    for number, parcel in enumerate(parcels, 1):
        sscc = barcode.sscc_of(parcel.number if parcel else "") or barcode.sscc_of(shipment.tracking_number)
        code = f"00{sscc}" if sscc else shipment.tracking_number
        shown = f"(00) {sscc}" if sscc else code
        pieces.append(Piece(number, len(parcels), parcel.weight_kg if parcel else None, code, shown, where))
    return pieces


def draw_label(shipment: Shipment, locale: Locale, faces: dict[str, Face]) -> tuple[bytes, int] | None:
    """(PDF, pages); None when the fonts lack a character of it."""
    if not all(face.covers("".join(_texts(shipment, locale))) for face in faces.values()):
        return None
    drawing = Drawing(faces)
    pieces = pieces_of(shipment)
    for piece in pieces:
        page = drawing.page(WIDTH, HEIGHT)
        _ends(page, shipment, locale)
        _recipient(page, shipment, locale)
        _facts(page, shipment, piece, locale)
        _codes(page, piece)
    return drawing.pdf(f"{locale.words['label']} {shipment.tracking_number}", locale.code), len(pieces)


def _texts(shipment: Shipment, locale: Locale) -> Iterator[str]:
    """All that is not our own words."""
    for party in (shipment.sender, shipment.recipient):
        yield from (party.name, party.phone, *(line.replace("\t", " ") for line in locale.address(party)))
    yield from (shipment.carrier, shipment.reference, shipment.tracking_number, locale.day(shipment.created))


def _ends(page: Page, shipment: Shipment, locale: Locale) -> None:
    """Sender at the left, carrier at the right."""
    lead = f"{locale.words['from']} "
    page.text(EDGE, 6.2, lead, 7, BOLD)
    name = page.wrapped(shipment.sender.name, 50, 7)[:1]
    page.text(EDGE + page.measure(lead, 7, BOLD), 6.2, name[0] if name else "", 7)
    for number, line in enumerate(page.wrapped(", ".join(locale.address(shipment.sender)), 57, 7)[:3], 1):
        page.text(EDGE, 6.2 + 3.1 * number, line, 7)
    for number, line in enumerate(page.wrapped(shipment.carrier, 33, 12, BOLD)[:3]):
        page.right(WIDTH - EDGE, 7.4 + 4.8 * number, line, 12, BOLD)


def _recipient(page: Page, shipment: Shipment, locale: Locale) -> None:
    """As large as it fits."""
    page.rule(19, 0.8)
    page.text(EDGE, 23.2, locale.words["to"], 7.5, BOLD)
    recipient, scale = shipment.recipient, 1.0
    phone = f"{locale.words['phone']} {recipient.phone}" if recipient.phone else ""
    while True:
        lines = [(line, NAME_PT * scale, BOLD) for line in page.wrapped(recipient.name, 92, NAME_PT * scale, BOLD)]
        for line in locale.address(recipient):
            lines += [(part, LINE_PT * scale, REGULAR) for part in page.wrapped(line, 92, LINE_PT * scale)]
        lines += [(part, 9 * scale, REGULAR) for part in page.wrapped(phone, 92, 9 * scale)]
        if sum(size for _, size, _ in lines) * 1.2 / MM <= ADDRESS_BOTTOM - ADDRESS_TOP or scale <= SMALLEST:
            break
        scale -= 0.05
    y = ADDRESS_TOP
    for line, size, font in lines:
        y += size * 1.2 / MM
        if y > ADDRESS_BOTTOM:
            break
        page.text(EDGE, y - size * 0.22 / MM, line, size, font)
    page.rule(66, 0.8)


def _facts(page: Page, shipment: Shipment, piece: Piece, locale: Locale) -> None:
    words = locale.words
    sort = f"{shipment.recipient.country} {shipment.recipient.postcode}".strip()
    size = min(22.0, 22.0 * 47 / max(page.measure(sort, 22, BOLD), 1))
    page.text(EDGE, 75.5, sort, size, BOLD)
    page.text(EDGE, 84, locale.piece(piece.number, piece.count), 10, BOLD)
    weight = "–" if piece.weight_kg is None else f"{locale.number(piece.weight_kg, 2)} kg"
    facts = (
        f"{words['weight']}: {weight}",
        f"{words['date_short']}: {locale.day(shipment.shipped or shipment.created) or '–'}",
        f"{words['reference']}: {shipment.reference or '–'}",
    )
    y = 88.5
    for fact in facts:
        for line in page.wrapped(fact, 48, 8.5)[:2]:
            page.text(EDGE, y, line, 8.5)
            y += 4.0


def _codes(page: Page, piece: Piece) -> None:
    page.rule(106, 0.8)
    _symbol(page, piece.matrix_symbol, 54, 73, MATRIX_MM)
    _symbol(page, piece.qr_symbol, 75, 71, QR_MM)
    try:
        module, bars = barcode.label_bars(piece.code, WIDEST_BARS_MM)
    except ValueError:
        bars, module = [], 0.0
    if bars:
        left = (WIDTH - module * (bars[-1][0] + bars[-1][1] + barcode.QUIET_MODULES)) / 2
        for at, width in bars:
            page.rectangle(left + at * module, 110, width * module, BARS_MM)
    size = min(13.0, 13.0 * 92 / max(page.measure(piece.shown, 13, BOLD), 1))
    page.centred(WIDTH / 2, 141.5, piece.shown, size, BOLD)


def _symbol(page: Page, make: Callable[[], barcode_2d.Symbol], x: float, y: float, size_mm: float) -> None:
    try:
        symbol = make()
    except ValueError:
        return
    module = size_mm / symbol.size
    for left, top, width, height in symbol.rectangles:
        page.rectangle(x + left * module, y + top * module, width * module, height * module)


def _or_nothing(draw: Callable[[], str]) -> str:
    """A code that cannot hold its text is left out: the text is printed all the same."""
    try:
        return draw()
    except ValueError:
        return ""
