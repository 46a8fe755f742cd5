"""Documents pass through as files: into a folder or into S3, whole, checked, and without filling the memory."""

from __future__ import annotations

import hashlib
import io
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO, cast

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, SuspiciousFileOperation
from django.core.files.storage import default_storage

from core.aws import storage
from core.aws.clients import boto_client, management_client
from core.aws.documents import DocumentStorage
from core.aws.errors import AwsConflict, AwsNotFound
from services_registry.batches.answer import binary_opener
from services_registry.models import Batch, Chunk
from shipments.capabilities.render_pdf import RenderPdf
from shipments.documents.store import PDF, inspect, store_document
from shipments.models import Document, Shipment
from tests.memory import MEGABYTE, memory_grows_at_most
from tests.shipments.test_pages_and_api import fill

BUCKET = "documents-under-test"
LARGE = 60 * MEGABYTE
MOST_MEMORY = 20 * MEGABYTE


def write_pdf(target: BinaryIO, filling: int) -> tuple[str, int]:
    """A correct one-page PDF with `filling` bytes of attachment, written in pieces; (SHA-256, bytes)."""
    places: list[int] = []

    def part(number: int, *pieces: bytes) -> None:
        places.append(target.tell())
        target.write(b"%d 0 obj " % number)
        for piece in pieces:
            target.write(piece)
        target.write(b" endobj\n")

    target.write(b"%PDF-1.4\n")
    part(1, b"<</Type/Catalog/Pages 2 0 R>>")
    part(2, b"<</Type/Pages/Kids[3 0 R]/Count 1>>")
    part(3, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>")
    pieces = [bytes([n % 251]) * MEGABYTE for n in range(filling // MEGABYTE)]
    part(4, b"<</Length %d>>stream\n" % (len(pieces) * MEGABYTE), *pieces, b"\nendstream")
    start = target.tell()
    target.write(b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places))
    target.write(b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start)
    size = target.tell()
    target.seek(0)
    return hashlib.file_digest(cast(io.BytesIO, target), "sha256").hexdigest(), size


def use_s3(settings: Any) -> None:
    with suppress(AwsConflict):
        management_client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": django_settings.AWS_REGION}
        )
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "core.aws.documents.DocumentStorage", "OPTIONS": {"place": f"s3://{BUCKET}/docs/"}}
    }


@pytest.fixture
def exchange() -> None:
    if not django_settings.AWS_ENDPOINT_URL:
        pytest.skip("needs the local AWS: AWS_ENDPOINT_URL is not set")
    storage.ensure_bucket()


@pytest.fixture
def s3_store(settings: Any, exchange: None) -> None:
    """Documents lie in S3."""
    use_s3(settings)


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Names of the S3 operations that are asked for, in order."""
    names: list[str] = []

    def note(model: Any, **_more: Any) -> None:
        names.append(model.name)

    events = boto_client("s3").meta.events
    events.register("before-call.s3", note, unique_id="asked")
    yield names
    events.unregister("before-call.s3", unique_id="asked")


@pytest.fixture
def rendered(db: None, exchange: None) -> Callable[[int], tuple[Document, str]]:
    """`rendered(filling)`: a function left a PDF in the exchange bucket, and the capability takes it over."""

    fill(1)  # now, so that what it stores is not counted with what is tested

    def take_over(filling: int) -> tuple[Document, str]:
        shipment = Shipment.objects.get()
        batch = Batch.objects.create(capability="render_pdf", function_name="f", title="t")
        chunk = Chunk(batch=batch, position=0)
        with tempfile.TemporaryFile() as file:
            digest, size = write_pdf(cast(BinaryIO, file), filling)
            uri = storage.put_stream(f"results/{batch.pk}/{chunk.pk}/files/{digest}", cast(BinaryIO, file))
        value = {"file": {"uri": uri, "bytes": size, "sha256": digest}, "content_type": PDF, "filename": "n.pdf"}
        with memory_grows_at_most(MOST_MEMORY):
            facts = RenderPdf().apply(str(shipment.pk), value, batch=batch, open_binary=binary_opener(chunk))
        assert facts is not None and facts["pages"] == 1 and facts["bytes"] == size
        return Document.objects.get(pk=facts["document"]), digest

    return take_over


def digest_of(document: Document) -> str:
    with document.file.open("rb") as stream:
        made = hashlib.sha256()
        while piece := stream.read(MEGABYTE):
            made.update(piece)
    return made.hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("place", ["folder", "s3"])
def test_a_large_document_is_never_whole_in_memory(place: str, rendered: Any, settings: Any) -> None:
    if place == "s3":
        use_s3(settings)
    document, digest = rendered(LARGE)
    assert (document.bytes > LARGE, document.state, document.sha256) == (True, "stored", digest)
    with memory_grows_at_most(MOST_MEMORY):
        assert digest_of(document) == digest


@pytest.mark.slow
def test_a_file_in_s3_is_copied_there_and_not_sent_again(s3_store: None, rendered: Any, asked: list[str]) -> None:
    document, digest = rendered(MEGABYTE)
    assert asked.count("CopyObject") == 1
    assert asked.count("PutObject") == 1, "only the function's own"
    assert digest_of(document) == digest
    assert document.file.name == f"{digest[:2]}/{digest}.pdf"
    head = management_client("s3").head_object(Bucket=BUCKET, Key=f"docs/{document.file.name}", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"], "S3 keeps the checksum with the document"


@pytest.mark.slow
def test_a_copy_that_does_not_have_the_checked_bytes_is_removed(s3_store: None) -> None:
    uri = storage.put_bytes("results/x/y/file", b"other bytes")
    target = f"s3://{BUCKET}/docs/copied"
    assert storage.copy_object(uri, target, sha256=hashlib.sha256(b"checked bytes").hexdigest()) is False
    with pytest.raises(AwsNotFound):
        storage.size_of(target)


@pytest.mark.slow
def test_a_source_that_has_expired_meanwhile_is_no_loss(db: None, s3_store: None) -> None:
    with tempfile.TemporaryFile() as file:
        digest, _size = write_pdf(cast(BinaryIO, file), 0)
        document, new = store_document(
            shipment=None, type="other", content=cast(BinaryIO, file), name="a.pdf", source="fetched",
            origin=f"s3://{django_settings.EXCHANGE_BUCKET}/results/gone/{uuid.uuid4()}",
        )  # fmt: skip
    assert new and digest_of(document) == digest


@pytest.mark.slow
def test_a_file_cut_short_by_a_crash_is_written_again(db: None, s3_store: None) -> None:
    whole = io.BytesIO()
    digest, _size = write_pdf(whole, 0)
    uri = cast(DocumentStorage, default_storage).uri(f"{digest[:2]}/{digest}.pdf")
    storage.put_bytes(storage.split_uri(uri)[1], b"%PDF-", bucket=BUCKET)
    document, _new = store_document(shipment=None, type="other", content=whole, name="a.pdf", source="uploaded")
    assert digest_of(document) == digest


def test_a_document_in_s3_is_shown_and_a_lost_one_is_said_to_be_lost(
    s3_store: None, client_as: Any, viewer: User
) -> None:
    whole = io.BytesIO()
    write_pdf(whole, 0)
    document, _new = store_document(shipment=None, type="other", content=whole, name="a.pdf", source="uploaded")
    client = client_as(viewer)
    answer = client.get(f"/documents/{document.pk}/file")
    assert b"".join(answer.streaming_content) == whole.getvalue()
    assert answer["Content-Length"] == str(len(whole.getvalue()))
    default_storage.delete(str(document.file.name))
    assert client.get(f"/documents/{document.pk}/file").status_code == 404


def test_a_broken_large_pdf_is_refused_without_loading_it() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"%PDF-1.4\n")
        for _ in range(40):
            file.write(b"1 0 obj (nonsense) " * (MEGABYTE // 19))
        file.write(b"\nstartxref\n99\n%%EOF\n")
        with memory_grows_at_most(MOST_MEMORY):
            assert "cannot be read" in inspect(cast(BinaryIO, file), PDF).problem


@pytest.mark.parametrize("place", ["", "documents", "s3://", "https://bucket/x"])
def test_a_wrong_place_is_refused_by_name(place: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DOCUMENT_STORE"):
        DocumentStorage(place)


def test_no_name_leaves_the_prefix() -> None:
    store = DocumentStorage("s3://bucket/docs")
    assert store.uri("ab/abc.pdf") == "s3://bucket/docs/ab/abc.pdf"
    for name in ("../secret", "/etc/passwd", "a/../../b"):
        with pytest.raises(SuspiciousFileOperation):
            store.uri(name)
