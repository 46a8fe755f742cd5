"""A full disk leaves nothing half-stored; documents in S3 are downloaded by signed addresses."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User

from shipments.documents.store import NoRoomError
from shipments.models import Document, Shipment
from tests.documents import made
from tests.shipments.test_document_store import exchange, s3_store  # noqa: F401  # fixtures

_SMALL = made.pdf("x")
LARGE = _SMALL + b"\n%" + b"f" * (2 << 20) + b"\n" + _SMALL[_SMALL.rindex(b"startxref") :]


@pytest.fixture
def full_disk(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A document store on a disk of one megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(  # noqa: S603  # fixed words and our own folder
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)],  # noqa: S607
        capture_output=True, check=False, timeout=20,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode()[:100]}")
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(place)},
        }
    }  # fmt: skip
    yield place
    subprocess.run(["umount", str(place)], check=True, timeout=20)  # noqa: S603, S607  # as above


def test_a_full_disk_keeps_nothing_half_and_a_retry_works(full_disk: Path, keep: Any, delivery: Shipment) -> None:
    small = keep(made.pdf("small"), "small.pdf", shipment=delivery)
    with pytest.raises(NoRoomError, match=r"Nothing of it was kept.*make room"):
        keep(LARGE, "large.pdf", shipment=delivery)
    assert [row.name for row in Document.objects.all()] == ["small.pdf"]
    assert [path.name for path in full_disk.rglob("*.pdf")] == [Path(small.file.name).name], "no half file stays"
    subprocess.run(["mount", "-o", "remount,size=8m", str(full_disk)], check=True, timeout=20)  # noqa: S603, S607
    document = keep(LARGE, "large.pdf", shipment=delivery)
    assert (document.state, Path(document.file.path).stat().st_size) == ("stored", len(LARGE))


def test_a_full_disk_is_told_to_people_and_tools(
    full_disk: Path, client_as: Any, api_client: Any, operator: User
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("large.pdf", LARGE)
    page = client_as(operator).post("/documents/upload/", {"files": [file], "type": "label"})
    assert page.status_code == 400 and b"Nothing of it was kept" in page.content
    file.seek(0)
    answer = api_client(operator).post("/api/v1/documents/", {"file": file, "type": "label"}, format="multipart")
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "document_store_full")
    assert not Document.objects.exists()


@pytest.mark.slow
def test_downloads_from_s3_are_signed_after_the_permission_check(
    s3_store: None,  # noqa: F811
    keep: Any, client_as: Any, api_client: Any, viewer: User, operator: User, settings: Any,
) -> None:  # fmt: skip
    settings.DOCUMENT_LINKS = True
    document = keep(made.pdf("signed"), "Überweisung 1.pdf")
    answer = client_as(viewer).get(f"/documents/{document.pk}/file?download=1")
    assert answer.status_code == 302
    with urlopen(answer["Location"], timeout=10) as got:  # noqa: S310  # the local AWS
        assert got.read() == made.pdf("signed")
        assert got.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''%C3%9Cberweisung")
    assert "X-Amz-Expires=60" in answer["Location"] or "Expires=" in answer["Location"]
    assert client_as(viewer).get(f"/documents/{document.pk}/file").status_code == 200, "what is shown comes through us"
    assert api_client(viewer).get(f"/api/v1/documents/{document.pk}/link/").json()["url"]
    bad = keep(made.HTML, "bad.pdf")
    assert client_as(viewer).get(f"/documents/{bad.pk}/file?download=1").status_code == 403
    assert api_client(viewer).get(f"/api/v1/documents/{bad.pk}/link/").status_code == 403
