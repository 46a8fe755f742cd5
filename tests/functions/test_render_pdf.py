"""Rendering by its handler: pages that hold what they must, refusals in words, nothing opened but data: URIs."""

import io
import shutil
import subprocess
import time
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from shipments.functions.render_pdf.handler import handler
from shipments.functions.render_pdf.language import WORDS, locale_for
from tests.functions.support import Clock, content, envelope, shipment

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)


def render(locale: str = "en", html: str | None = None, context: dict[str, Any] | None = None, **more: Any) -> Any:
    item = {"id": "a", "filename": "note.pdf", "html": html, "data": shipment(**more)}
    full = {"document_type": "delivery_note", "locale": locale} | (context or {})
    return handler(envelope([item], full), Clock())["results"][0]


def pages(result: Any) -> list[str]:
    assert result["ok"], result
    pdf = content(result["value"]["file"])
    assert pdf.startswith(b"%PDF-") and b"%%EOF" in pdf[-64:]
    texts = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    assert len(texts) == result["value"]["pages"]
    return texts


def fonts_for(language: str) -> bool:
    """Whether some installed font covers a language; what is not installed cannot be printed."""
    program = shutil.which("fc-list")
    if program is None:
        return False
    found = subprocess.run([program, f":lang={language}"], capture_output=True, timeout=30, check=False)  # noqa: S603  # fontconfig's own
    return bool(found.stdout.strip())


def test_a_delivery_note_holds_everything_on_one_page() -> None:
    result = render()
    (text,) = pages(result)
    for words in (
        "Delivery note",
        "00340434161094042557",
        "Nordhafen GmbH",
        "46014 Valencia",
        "PO-2026-118843",
        "Ramp 2",
    ):
        assert words in text
    assert (
        "20 Nov 2026" in text and "25 Nov 2026" in text and "Parcels: 3" in text and "6.75" in text and "1 / 1" in text
    )
    assert result["value"]["filename"] == "note.pdf" and result["value"]["content_type"] == "application/pdf"


@pytest.mark.parametrize("locale", sorted(WORDS))
def test_labels_follow_the_locale(locale: str) -> None:
    (text,) = pages(render(locale))
    assert WORDS[locale]["title"] in text and WORDS[locale]["recipient"] in text
    assert ("6.75" if locale == "en" else "6,75") in text


def test_unknown_locales_print_in_english_and_regions_are_understood() -> None:
    assert locale_for("xx").code == locale_for(None).code == "en"
    assert locale_for("de-AT").code == "de"
    assert locale_for("pt_BR").number(Decimal("1234567.8"), 2) == "1\u202f234\u202f567,80"


def test_many_parcels_run_over_numbered_pages_with_the_heading_repeated() -> None:
    parcels = [{"number": f"P{n}", "weight_kg": 0.1, "description": "x"} for n in range(90)]
    texts = pages(render(parcels=parcels))
    assert len(texts) >= 3
    for number, text in enumerate(texts, 1):
        assert f"{number} / {len(texts)}" in text and "00340434161094042557" in text
    assert "Weight (kg)" in texts[1]
    assert "9.00" in "".join(texts), "ninety times 0.1 kg must be exact"


@pytest.mark.parametrize(
    "name", ["Μεταφορική Αιγαίου", "Северный путь", "東京都 部品", "X" * 290, "<b>&amp;{{ 7*7 }}</b>"]
)
def test_prints_names_of_any_script_length_and_markup(name: str) -> None:
    if not name.isascii() and "京" in name and not fonts_for("ja"):
        pytest.skip("no font with Chinese characters is installed (for example fonts-droid-fallback)")
    text = "".join(pages(render(recipient={"name": name})))
    assert "".join(name.split()) in "".join(text.split())


def test_missing_fields_leave_dashes() -> None:
    item = {"id": "a", "data": {"tracking_number": "X1"}}
    (text,) = pages(handler(envelope([item]), Clock())["results"][0])
    assert "X1" in text and "–" in text


@pytest.mark.parametrize(
    ("more", "kind", "word"),
    [
        ({"tracking_number": ""}, "BadData", "tracking_number"),
        ({"parcels": [{"weight_kg": "heavy"}]}, "BadData", r"parcels[0].weight_kg"),
        ({"parcels": [{"weight_kg": "NaN"}]}, "BadData", "weight_kg"),
        ({"parcels": "many"}, "BadData", "parcels"),
        ({"sender": "me"}, "BadData", "sender"),
        ({"parcels": [{}] * 501}, "TooLarge", "500"),
        (
            {"context": {"document_type": "cmr"}},
            "UnknownDocumentType",
            "cmr_waybill, commercial_invoice, delivery_note",
        ),
    ],
)
def test_refuses_what_it_cannot_print(more: dict[str, Any], kind: str, word: str) -> None:
    error = render(**more)["error"]
    assert error["type"] == kind and word in error["message"] and error["retryable"] is False


def test_prints_ready_made_html_without_evaluating_it() -> None:
    (text,) = pages(render(html=f"<p>Price {{{{ 6*7 }}}}</p><img src='{PIXEL}'>"))
    assert "{{ 6*7 }}" in text


@pytest.mark.parametrize(
    "html",
    [
        "<img src='http://127.0.0.1:9/x.png'>",
        "<img src='file:///etc/passwd'>",
        "<link rel=stylesheet href='https://example.org/a.css'>",
        "<style>@import url(ftp://example.org/a.css);</style>",
        "<p style='background:url(file:///etc/hostname)'>x</p>",
        "<svg><image href='file:///etc/passwd' width='1' height='1'/></svg>",
        "<link rel=attachment href='file:///etc/passwd'>",
    ],
)
def test_opens_no_network_and_no_local_file(html: str) -> None:
    error = render(html=html)["error"]
    assert error["type"] == "ResourceRefused" and "data: URIs" in error["message"]


def test_a_letterhead_can_carry_a_logo_but_only_as_data() -> None:
    head = {"name": "Shipping Co", "lines": ["Quay 1", "VAT 123"]}
    assert "Shipping Co" in pages(render(context={"letterhead": head | {"logo": PIXEL}}))[0]
    assert (
        render(context={"letterhead": head | {"logo": "https://example.org/l.png"}})["error"]["type"]
        == "ResourceRefused"
    )


def test_the_same_data_gives_the_same_bytes() -> None:
    assert render()["value"]["file"]["sha256"] == render()["value"]["file"]["sha256"]


@pytest.mark.slow
def test_prints_at_least_ten_notes_a_second_and_core() -> None:
    best = 0.0
    for _ in range(4):
        started = time.process_time()
        for number in range(10):
            render(tracking_number=f"0034043416109{number:07d}")
        best = max(best, 10 / (time.process_time() - started))
    assert best >= 10, f"{best:.1f} notes a second"
