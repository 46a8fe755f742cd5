"""What is in quarantine is never shown; it is released with a permission and a reason, or rejected for good."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from core.models import AuditEntry
from shipments.documents import extraction
from shipments.documents.store import store_document
from shipments.models import Document, Shipment
from tests.documents import made

REASON = {"reason": "opened with the carrier, it is complete"}


@pytest.fixture
def bad(keep: Any, delivery: Shipment) -> Document:
    document: Document = keep(made.with_script_on_opening(), "pod.pdf", shipment=delivery)
    assert (document.state, document.problem) == ("quarantined", "the PDF contains JavaScript")
    return document


def test_it_is_never_shown_and_saved_by_operators_only(
    bad: Document, client_as: Any, viewer: User, operator: User
) -> None:
    page = client_as(viewer).get(f"/documents/{bad.pk}/").content
    assert b"contains JavaScript" in page and b"document-page" not in page and b"/file" not in page
    assert client_as(viewer).get(f"/documents/{bad.pk}/file").status_code == 403
    assert client_as(viewer).get(f"/documents/{bad.pk}/page/0").status_code == 404
    assert b"I know the risk" in client_as(operator).get(f"/documents/{bad.pk}/").content
    answer = client_as(operator).get(f"/documents/{bad.pk}/file")  # without ?download
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"] == "application/octet-stream"
    assert b"".join(answer.streaming_content) == made.with_script_on_opening()
    extraction.work()
    bad.refresh_from_db()
    assert (bad.extraction, bad.thumbnail) == ("waiting", "")


def test_releasing_needs_the_permission_and_a_reason_and_is_written_down(
    bad: Document, client_as: Any, operator: User, admin_user: User
) -> None:
    address = f"/documents/{bad.pk}/release/"
    assert client_as(operator).post(address, REASON).status_code == 403
    client_as(admin_user).post(address, {"reason": " "})
    bad.refresh_from_db()
    assert bad.state == "quarantined"
    client_as(admin_user).post(address, REASON)
    bad.refresh_from_db()
    assert (bad.state, bad.problem) == ("stored", "")
    entry = AuditEntry.objects.get(verb="document.released")
    assert entry.before is not None
    assert (entry.actor, entry.reason, entry.before["problem"]) == (
        admin_user, REASON["reason"], "the PDF contains JavaScript",
    )  # fmt: skip
    extraction.work()
    bad.refresh_from_db()
    assert (bad.extraction, bad.thumbnail) == ("done", "made")
    client_as(admin_user).post(address, REASON)
    assert AuditEntry.objects.filter(verb="document.released").count() == 1


def test_rejected_it_stays_rejected_when_it_comes_again(
    bad: Document, delivery: Shipment, client_as: Any, operator: User
) -> None:
    client_as(operator).post(f"/documents/{bad.pk}/reject/", REASON)
    again, new = store_document(
        shipment=delivery, type="other", content=made.with_script_on_opening(), name="pod.pdf", source="fetched"
    )
    assert (again.pk, new, again.state) == (bad.pk, False, "rejected")
    assert b"pod.pdf" not in client_as(operator).get("/documents/").content
    assert b"pod.pdf" in client_as(operator).get("/documents/?state=rejected").content


def test_the_api_does_the_same(bad: Document, api_client: Any, viewer: User, operator: User, admin_user: User) -> None:
    address = f"/api/v1/documents/{bad.pk}"
    assert api_client(viewer).get(f"{address}/file/").status_code == 403
    assert api_client(operator).post(f"{address}/release/", REASON, format="json").status_code == 403
    assert api_client(admin_user).post(f"{address}/release/", {}, format="json").status_code == 400
    answer = api_client(admin_user).post(f"{address}/release/", REASON, format="json")
    assert (answer.status_code, answer.json()["state"]) == (200, "stored")
    assert api_client(admin_user).post(f"{address}/reject/", REASON, format="json").status_code == 409


@pytest.mark.parametrize(
    "content", [made.HTML, made.PROGRAM, made.archive(), made.encrypted(), b""], ids=["html", "exe", "zip", "lock", "0"]
)
def test_what_people_send_is_told_by_its_bytes(content: bytes, api_client: Any, operator: User, client_as: Any) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("pod.pdf", content, "application/pdf")
    page = client_as(operator).post("/documents/upload/", {"files": [file], "type": "label"}, follow=True)
    if not content:
        assert b"The submitted file is empty" in page.content
        return
    document = Document.objects.get()
    assert document.state == "quarantined" and document.problem.encode() in page.content
    file.seek(0)
    answer = api_client(operator).post("/api/v1/documents/", {"file": file, "type": "label"}, format="multipart")
    assert (answer.status_code, answer.json()["id"]) == (200, document.pk)
