"""Templates by page: writing one with a preview, mistakes with their line, versions, what differs, going back, who may."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.datastructures import MultiValueDict

from core.models import AuditEntry
from shipments.deliveries.importer import import_shipments
from shipments.document_forms import LetterheadForm
from shipments.functions.render_pdf.language import LANGUAGES
from shipments.functions.render_pdf.sources import SHEETS, builtin_source
from shipments.models import DocumentTemplate, Letterhead, Shipment, TemplateVersion
from shipments.sample import sample_shipments_csv
from tests.shipments.renderer import renderer

__all__ = ["renderer"]
pytestmark = pytest.mark.django_db
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6364f8cf500f000386018" + "05a347d6b0000000049454e44ae426082"
)


@pytest.fixture
def admin(admin_user: User, client_as: Callable[[User], Client]) -> Client:
    import_shipments(io.BytesIO(sample_shipments_csv(5, 5).encode()))
    return client_as(admin_user)


def new(admin: Client, **said: Any) -> DocumentTemplate:
    answer = admin.post("/templates/new/", {"type": "delivery_note", "carrier": "", "language": ""} | said)
    assert answer.status_code == 302, answer.content
    return DocumentTemplate.objects.get(pk=int(answer["Location"].split("/")[2]))


def test_only_administrators_see_templates(admin: Client, operator: User, client_as: Callable[[User], Client]) -> None:
    template = new(admin)
    for address in ("/templates/", f"/templates/{template.pk}/"):
        assert admin.get(address).status_code == 200
        assert client_as(operator).get(address).status_code == 403
    for address in ("/templates/new/", f"/templates/{template.pk}/preview/", f"/templates/{template.pk}/use/0/"):
        assert client_as(operator).post(address).status_code == 403


def test_a_new_template_begins_with_the_built_in_page_and_changes_nothing_yet(admin: Client) -> None:
    template = new(admin, type="cmr_waybill", language="de")
    page = admin.get(f"/templates/{template.pk}/").content.decode()
    assert "cmr_statement" in page and "{% include" not in page and "Printed with the built-in page" in page
    assert new(admin, type="cmr_waybill", language="de").pk == template.pk
    assert admin.post("/templates/new/", {"type": "proof_of_delivery"}).status_code == 400
    listed = admin.get("/templates/").content.decode()
    assert "CMR waybill" in listed and "German" in listed and "Manifest" in listed


@pytest.mark.slow
def test_writing_trying_keeping_and_going_back(renderer: str, admin: Client) -> None:
    template = new(admin)
    edit, tried = f"/templates/{template.pk}/", f"/templates/{template.pk}/preview/"
    number = Shipment.objects.order_by("pk")[0].tracking_number
    good = {"html": "<h1>Ours</h1>\r\n<p>{{ shipment.tracking_number }}</p>", "css": "h1 { colour: red }", "tried_with": number,
            "tried_in": "es", "note": "first", "use": "on"}  # fmt: skip

    part = admin.post(tried, good, headers={"HX-Request": "true"}).content.decode()
    assert "1:6" in part and "unknown property" in part and "<html" not in part
    address = re.search(r'data="([^"]+\.pdf)"', part)
    assert address is not None
    pdf = admin.get(address[1])
    assert pdf["Content-Type"] == "application/pdf" and "sandbox" in pdf["Content-Security-Policy"]
    with pypdfium2.PdfDocument(pdf.content) as document:
        assert number in document[0].get_textpage().get_text_range()
    assert "<html" in admin.post(tried, good).content.decode(), "without script it is a page"
    assert not TemplateVersion.objects.exists()

    bad = admin.post(edit, good | {"html": "<p>\n{% if %}</p>"})
    assert bad.status_code == 400 and "line 2" in bad.content.decode() and not TemplateVersion.objects.exists()
    unknown = admin.post(edit, good | {"tried_with": "NOPE"})
    assert unknown.status_code == 400 and "no delivery with this tracking number" in unknown.content.decode()

    assert admin.post(edit, good).status_code == 302
    assert admin.post(edit, good).status_code == 400, "nothing was changed"
    assert admin.post(edit, good | {"html": "<h1>Other</h1>", "use": "", "note": "draft"}).status_code == 302
    template.refresh_from_db()
    assert template.active is not None and template.active.number == 1 and template.active.author.startswith("admin")

    page = admin.get(f"/templates/{template.pk}/versions/2/").content.decode()
    assert 'line-removed">-&lt;h1&gt;Ours' in page and 'line-added">+&lt;h1&gt;Other' in page
    against = admin.get(f"/templates/{template.pk}/versions/2/?against=0").content.decode()
    assert "letterhead" in against and admin.get(f"/templates/{template.pk}/versions/2/?against=9").status_code == 404
    for use, active in ((2, 2), (1, 1), (0, None)):
        admin.post(f"/templates/{template.pk}/use/{use}/")
        template.refresh_from_db()
        assert getattr(template.active, "number", None) == active
    verbs = list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert [verb for verb in verbs if verb.startswith("template.")] == [
        "template.created", "template.saved", "template.activated", "template.saved", *["template.activated"] * 3
    ]  # fmt: skip


def test_a_preview_belongs_to_the_one_who_asked(admin: Client, client_as: Callable[[User], Client]) -> None:
    assert admin.get("/templates/preview/deadbeef.pdf").status_code == 404


def test_a_function_that_does_not_answer_is_said(admin: Client, settings: Any) -> None:
    from services_registry.models import CapabilityBinding

    CapabilityBinding.objects.create(capability="render_pdf", function_name="not-there", chunk_size=1, concurrency=1)
    template = new(admin)
    part = admin.post(f"/templates/{template.pk}/preview/", {"html": "x"}, headers={"HX-Request": "true"})
    assert part.status_code == 200 and "The function did not answer" in part.content.decode()


def test_the_letterhead_takes_a_small_picture_only(admin: Client) -> None:
    def form(content: bytes) -> LetterheadForm:
        files: Any = MultiValueDict({"picture": [SimpleUploadedFile("l.png", content)]})
        return LetterheadForm({"name": "Co", "lines": "a"}, files)

    assert not form(b"<svg/>").is_valid() and not form(b"\x89PNG" + b"x" * 150_001).is_valid()
    good = form(PIXEL)
    assert good.is_valid()
    kept = good.save()
    assert kept.logo.startswith("data:image/png;base64,") and Letterhead.objects.get().lines == "a"
    again = LetterheadForm({"name": "Co", "lines": "b"}, instance=kept)
    assert again.is_valid() and again.save().logo == kept.logo
    without = LetterheadForm({"name": "Co", "lines": "b", "no_logo": "on"}, instance=kept)
    assert without.is_valid() and without.save().logo == ""
    assert admin.get("/admin/shipments/letterhead/").status_code == 200


def test_the_list_needs_the_same_queries_for_few_and_many(admin: Client, query_budget: Any) -> None:
    for language in LANGUAGES:
        new(admin, type="label", language=language)
    with query_budget(12):
        admin.get("/templates/")
    assert all(builtin_source(kind)[0] for kind in SHEETS)
