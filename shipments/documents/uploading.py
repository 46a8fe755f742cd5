"""Files that people or tools send us: whose they are is said, or found out by reading them."""

from __future__ import annotations

from typing import Any

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _

from core.audit import record
from core.aws.errors import AwsError
from core.errors import RefusedError
from shipments.documents.inspection import LARGEST, PDF, kind_of
from shipments.documents.store import store_document
from shipments.models import Carrier, Document, Shipment


class StoreUnreachableError(RefusedError):
    """Nothing was kept; the same request later will do."""

    code = "document_store"
    status = 503


@transaction.atomic
def take_upload(
    file: File[bytes], *, actor: Any, type: str, shipment: Shipment | None = None, carrier: Carrier | None = None,
    name: str = "", source: str = "page",
) -> tuple[Document, bool]:  # fmt: skip
    """Keep a file as it is; (document, whether it is new). Its kind is told from its first bytes, never from its name.

    Raises:
        RefusedError: it is larger than documents may be, or the document store is away; nothing is kept then.
    """
    name = name or file.name or ""
    if file.size > LARGEST:
        words = _("%(name)s has %(n)s MB; at most %(most)s MB are taken.")
        values = {"name": name, "n": file.size >> 20, "most": LARGEST >> 20}
        raise RefusedError(words % values, code="too_large")
    stream: Any = file.file
    stream.seek(0)
    content_type = kind_of(stream.read(16)) or PDF  # then it is refused as what it really is
    try:
        document, new = store_document(
            shipment=shipment, carrier=carrier, type=type, content=stream, name=name, source="uploaded",
            content_type=content_type,
        )  # fmt: skip
    except AwsError as error:
        raise StoreUnreachableError(_("The document store cannot be reached. Try again in a minute.")) from error
    if new:
        record(actor=actor, verb="document.uploaded", target=document, source=source, summary=document.name,
               after={"state": document.state, "problem": document.problem})  # fmt: skip
    return document, new
