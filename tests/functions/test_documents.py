"""The six documents in six languages: what is on them, what scanners read off the printed page, what is refused."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pypdf import PdfReader

from shipments.functions.render_pdf import documents, language
from shipments.functions.render_pdf.barcode import gs1_check_digit, sscc_of
from shipments.functions.render_pdf.language import LANGUAGES, WORDS
from shipments.functions.render_pdf.sources import builtin_source, digest
from tests.functions.documents import (
    SSCC,
    TYPES,
    codes,
    full,
    goods,
    made,
    manifest,
    overlapping,
    pdf_of,
    pictures,
    texts,
)


@pytest.mark.slow
@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("document_type", TYPES)
def test_every_document_is_printed_in_every_language_and_scans(document_type: str, locale: str) -> None:
    pdf = pdf_of(made(document_type, locale))
    first = texts(pdf)[0]
    spelled = " ".join(first.split())
    assert WORDS[locale][document_type] in spelled or document_type == "label"
    assert ("6.75" if locale == "en" else "6,75") in spelled or document_type in ("label", "manifest")
    assert overlapping(pdf) == []
    read = codes(pictures(pdf, pages=1)[0])
    if document_type == "label":
        assert read == {
            "Code 128": f"(00){SSCC[2:]}",
            "QR Code": f"{SSCC}\n1/3\nES-46014",
            "Data Matrix": f"{SSCC};ES-46014",
        }
    else:
        assert read == {"Code 128": "M-17" if document_type == "manifest" else SSCC}


def test_all_languages_say_the_same_things() -> None:
    assert all(list(words) == list(WORDS["en"]) and all(words.values()) for words in WORDS.values())
    assert len(language.COUNTRIES) >= 35


@pytest.mark.slow
def test_a_cmr_note_has_four_coloured_copies_24_boxes_and_the_particulars_of_article_6() -> None:
    pdf = pdf_of(made("cmr_waybill", "de"))
    pages = texts(pdf)
    assert len(pages) == 4
    for number, page in enumerate(pages, 1):
        flat = " ".join(page.split())
        for box in (*range(1, 21), 22, 23, 24):
            assert WORDS["de"][f"cmr_{box}"] in flat and f"cmr_{box}" not in flat
        assert WORDS["de"][f"cmr_copy_{number}"] in flat and WORDS["de"]["cmr_statement"] in flat
        for said in ("Nordhafen GmbH", "Ibáñez S.L.", "DHL Parcel DE", "20457 Hamburg, Deutschland, 20.11.2026",
                     "46014 Valencia, Spanien", "Pump housings", "carton", "84139100", "4,50", "6,75", "0,375"):  # fmt: skip
            assert said in flat, said
    inks = [_ink(picture) for picture in _colour_pictures(pdf)]
    assert inks == ["red", "blue", "green", "black"]


def _colour_pictures(pdf: bytes) -> list[Any]:
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=1).to_pil().convert("RGB") for page in document]


def _ink(picture: Any) -> str:
    """The colour of the frame: what most coloured pixels are."""
    counts = {"red": 0, "green": 0, "blue": 0, "black": 0}
    for count, (red, green, blue) in picture.getcolors(1 << 24):
        if max(red, green, blue) - min(red, green, blue) < 40:
            counts["black"] += count if max(red, green, blue) < 60 else 0
        else:
            counts[("red", "green", "blue")[(red, green, blue).index(max(red, green, blue))]] += count * 20
    return max(counts, key=lambda name: counts[name])


@pytest.mark.slow
def test_equal_goods_share_a_line_of_a_cmr_note_and_the_rest_is_counted() -> None:
    parcels = [goods(1)[0] | {"number": f"P{n}", "description": f"Goods {n % 12}"} for n in range(30)]
    html, css = builtin_source("cmr_waybill")
    changed = {"html": html, "css": css, "sha256": digest(html, css)}
    templates: tuple[dict[str, Any], ...] = ({}, {"template": changed})
    for more in templates:
        pdf = pdf_of(made("cmr_waybill", data=full() | {"parcels": parcels}, **more))
        flat = " ".join(texts(pdf)[0].split())
        assert "Goods 6" in flat and "Goods 7" not in flat and "10 more packages, see packing list" in flat


@pytest.mark.parametrize(
    ("document_type", "change", "names"),
    [
        ("commercial_invoice", {"parcels": [{"description": "x", "weight_kg": 1}]}, "parcels[0].value, parcels[0].currency"),
        ("commercial_invoice", {"parcels": []}, "parcels"),
        ("cmr_waybill", {"carrier": "", "recipient": {"name": "A"}}, "carrier, recipient.city, recipient.country"),
        ("label", {"recipient": {"name": "A"}}, "recipient.city, recipient.country"),
        ("packing_list", {"parcels": [{"weight_kg": 1}]}, "parcels[0].description"),
    ],
)  # fmt: skip
def test_what_a_document_cannot_be_without_is_named(document_type: str, change: dict[str, Any], names: str) -> None:
    error = made(document_type, data=full() | change)["error"]
    assert error["type"] == "MissingData" and names in error["message"] and not error["retryable"]


def test_an_invoice_adds_up_and_has_one_currency() -> None:
    (text,) = texts(pdf_of(made("commercial_invoice", "fr")))
    for said in ("1\u202f000,50\u00a0EUR", "250,13\u00a0EUR", "6\u202f001,50\u00a0EUR", "Allemagne", "DAP", "Vente"):
        assert said in text, said
    mixed = full() | {"parcels": [goods(1)[0], goods(1)[0] | {"currency": "USD"}]}
    assert "EUR, USD" in made("commercial_invoice", data=mixed)["error"]["message"]


@pytest.mark.slow
def test_what_paper_allows_to_be_empty_is_left_empty() -> None:
    bare = {"tracking_number": "X1", "carrier": "C", "sender": {"name": "S", "city": "A", "country": "FR"},
            "recipient": {"name": "R", "city": "B", "country": "XK"},
            "parcels": [{"description": "d", "weight_kg": 1, "value": 1, "currency": "EUR", "hs_code": "1",
                         "origin": "FR"}]}  # fmt: skip
    for document_type in ("delivery_note", "cmr_waybill", "commercial_invoice", "packing_list", "label"):
        text = " ".join(texts(pdf_of(made(document_type, data=bare)))[0].split())
        assert "X1" in text and "None" not in text and "XK" in text, document_type


@pytest.mark.slow
def test_a_manifest_numbers_all_its_rows_and_pages() -> None:
    pages = texts(pdf_of(made("manifest", "es", manifest(133))))
    assert len(pages) == 6  # 18 rows, then 24 a page, printed in two parts
    for number, page in enumerate(pages, 1):
        assert f"{number} / 6" in page
    assert [f"SP{n:010d}" in "".join(pages) for n in range(133)] == [True] * 133
    assert WORDS["es"]["vehicle"] in pages[-1] and WORDS["es"]["vehicle"] not in pages[0]
    assert "266" in pages[0] and "199,50 kg" in pages[0]


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 18, 19, 42, 43, 114])
def test_a_manifest_always_has_room_for_signatures(rows: int) -> None:
    pages = texts(pdf_of(made("manifest", data=manifest(rows))))
    assert WORDS["en"]["vehicle"] in pages[-1] and f"{len(pages)} / {len(pages)}" in pages[-1]
    assert f"SP{rows - 1:010d}" in pages[-1]


def test_check_digits_hold_by_another_calculation() -> None:
    """The 18 digits with weights 3, 1, ... add up to a multiple of ten."""
    for serial in ("34043416109404255", "00000000000000001", "95012345678903456"):
        digits = serial + str(gs1_check_digit(serial))
        assert sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits)) % 10 == 0
        assert sscc_of(digits) == sscc_of(f"00{digits}") == sscc_of(f"(00){digits}") == digits
        assert sscc_of(digits[:-1] + str((int(digits[-1]) + 1) % 10)) == ""
    assert gs1_check_digit("37610425002123456") == 9  # the example of the GS1 General Specifications
    assert [sscc_of(text) for text in ("", "x" * 18, "1Z999AA10123456784", "10" + SSCC[2:])] == [""] * 4


@pytest.mark.parametrize("number", ["1Z999AA10123456784", "RR123456785DE", "SP11230000001", "ab-9~ X", "Z" * 40])
def test_a_label_of_any_number_scans(number: str) -> None:
    parcels = [{"number": "1"}, {"number": "2"}]
    pages = pictures(pdf_of(made("label", data=full(tracking_number=number) | {"parcels": parcels})), scale=4)
    for place, page in enumerate(pages, 1):
        assert codes(page)["Code 128"] == number and codes(page)["QR Code"] == f"{number}\n{place}/2\nES-46014"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["Μεταφορική Αιγαίου", "Северный путь", "Wisła Żółć", "Ñandú Çelik Straße", "Œuvre “à”"]
)
def test_names_come_back_as_text_and_their_fonts_are_inside(name: str) -> None:
    data = full() | {"recipient": {"name": name, "street": name, "city": name, "country": "GR"}}
    for document_type in ("delivery_note", "cmr_waybill", "label"):
        pdf = pdf_of(made(document_type, data=data))
        assert "".join(name.split()) in "".join(texts(pdf)[0].split())
        for font in _fonts(pdf):
            assert "/FontFile2" in font or "/FontFile3" in font


def _fonts(pdf: bytes) -> list[Any]:
    found = []
    for page in PdfReader(io.BytesIO(pdf)).pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]  # pypdf types it as any object
            found.append(font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object())
    return found


def test_addresses_are_written_as_their_country_writes_them() -> None:
    parts = {"name": "A", "street": "1 High St", "postcode": "AB1 2CD", "city": "Leeds"}
    flat = [" ".join(texts(pdf_of(made("label", "fr", full() | {"recipient": parts | {"country": code}})))[0].split())
            for code in ("GB", "US", "FR")]  # fmt: skip
    assert "1 High St Leeds AB1 2CD ROYAUME-UNI" in flat[0]
    assert "Leeds AB1 2CD ÉTATS-UNIS" in flat[1] and "AB1 2CD Leeds FRANCE" in flat[2]


def test_a_long_address_is_printed_smaller_not_cut() -> None:
    recipient = {"name": "Gesellschaft " * 6, "street": "Industriestraße 14, Gebäude 7, dritter Stock links " * 2,
                 "postcode": "20457", "city": "Hamburg", "country": "DE", "phone": "+49 40 1"}  # fmt: skip
    text = texts(pdf_of(made("label", data=full() | {"recipient": recipient})))[0]
    assert "GERMANY" in text and "+49 40 1" in text and text.count("Gesellschaft") == 6


def test_what_our_fonts_lack_is_laid_out_by_the_html_label() -> None:
    drawn, laid_out = (
        made("label", data=full(notes="") | {"carrier": carrier}) for carrier in ("Nordpaket", "日本 Nordpaket")
    )
    for result in (drawn, laid_out):
        assert codes(pictures(pdf_of(result))[0])["Code 128"] == f"(00){SSCC[2:]}"
    assert "Nordpaket" in texts(pdf_of(laid_out))[0] and _producer(laid_out) == "WeasyPrint 70.0"


def _producer(result: dict[str, Any]) -> str:
    metadata = PdfReader(io.BytesIO(pdf_of(result))).metadata
    return str(metadata.producer) if metadata else ""


@pytest.mark.slow
@pytest.mark.parametrize("document_type", [kind for kind in TYPES if kind != "label"])
def test_what_is_kept_is_marked_as_archivable(document_type: str) -> None:
    reader = PdfReader(io.BytesIO(pdf_of(made(document_type, "it"))))
    root = reader.trailer["/Root"].get_object()
    assert "/OutputIntents" in root and root["/Lang"] == "it"  # type: ignore[operator,index]  # a dictionary
    metadata = root["/Metadata"].get_object().get_data().decode()  # type: ignore[index]
    assert 'pdfaid:part="3"' in metadata and 'pdfaid:conformance="U"' in metadata
    assert ("/StructTreeRoot" in root) == (document_type != "manifest")  # type: ignore[operator]


@pytest.mark.slow
@pytest.mark.parametrize("document_type", TYPES)
def test_the_same_data_gives_the_same_bytes(document_type: str) -> None:
    assert pdf_of(made(document_type)) == pdf_of(made(document_type))


def test_a_shipment_may_have_a_language_of_its_own() -> None:
    from shipments.functions.render_pdf.handler import handler
    from tests.functions.support import Clock, envelope

    items = [{"id": "a", "locale": "fr", "data": full()}, {"id": "b", "data": full()}]
    first, second = handler(envelope(items, {"document_type": "packing_list", "locale": "de"}), Clock())["results"]
    assert (first["value"]["locale"], second["value"]["locale"]) == ("fr", "de")
    assert "Liste de colisage" in texts(pdf_of(first))[0] and documents.MOST_ROWS >= 480
