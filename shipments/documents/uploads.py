"""Documents that people and tools bring themselves."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from core.audit import record
from core.aws.errors import AwsError
from core.errors import RefusedError
from shipments.documents.store import EXTENSIONS, store_document
from shipments.models import Document, Shipment

MOST_BYTES = 50 << 20
KINDS = {**{ending: kind for kind, ending in EXTENSIONS.items()}, ".jpeg": "image/jpeg", ".tiff": "image/tiff"}


class StoreUnreachableError(RefusedError):
    """Nothing was kept; the same request later will do."""

    code = "document_store"
    status = 503


@transaction.atomic
def upload_document(
    shipment: Shipment, file: UploadedFile[Any], *, type: str, name: str = "", actor: Any, source: str = "page"
) -> tuple[Document, bool]:
    """(The document, whether it is new.) Bytes that this delivery has under this type already are not kept twice.

    What kind of file it is follows from the ending of its name; the store looks into it.

    Raises:
        ValidationError: too large, or a kind of file that no document has.
        StoreUnreachableError: the document store is away.
    """
    name = name or file.name or ""
    kind = KINDS.get(PurePosixPath(name).suffix.lower(), "")
    if not kind:
        words = _("Its name must end in one of: %(endings)s.") % {"endings": ", ".join(KINDS)}
        raise ValidationError({"file": ValidationError(words, code="unknown_kind")})
    if (file.size or 0) > MOST_BYTES:
        words = _("Larger than %(mb)d MiB.") % {"mb": MOST_BYTES >> 20}
        raise ValidationError({"file": ValidationError(words, code="too_large")})
    try:
        document, new = store_document(
            shipment=shipment, type=type, content=cast(BinaryIO, file.file), name=name, source="uploaded",
            content_type=kind,
        )  # fmt: skip
    except AwsError as error:
        raise StoreUnreachableError(_("The document store cannot be reached. Try again in a minute.")) from error
    if new:
        record(actor=actor, verb="document.uploaded", target=document, source=source,
               summary=f"{shipment.tracking_number}: {document.name}",
               after={"type": type, "bytes": document.bytes, "sha256": document.sha256})  # fmt: skip
    return document, new
