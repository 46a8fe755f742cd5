"""Kinds of work that get a document: which capability of the batch engine, with which option. Words for their errors."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from shipments.choices import MADE_HERE, DocumentType, Obtain
from shipments.connections.words import SENTENCES

FETCH, RENDER = "fetch_documents", "render_pdf"
CAPABILITIES = (FETCH, RENDER)
MADE = frozenset(MADE_HERE) - {DocumentType.MANIFEST}  # a manifest belongs to a carrier, not to a delivery
_OF: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    (Obtain.FETCH, DocumentType.PROOF_OF_DELIVERY): (FETCH, {}),
    **{(Obtain.MAKE, kind): (RENDER, {"type": kind.value, "language": "recipient"}) for kind in MADE},
}
# What a batch without the option works on.
_USUAL = {FETCH: DocumentType.PROOF_OF_DELIVERY.value, RENDER: DocumentType.DELIVERY_NOTE.value}
OPTION = "type"


def can_be_got(obtain: str, document_type: str) -> bool:
    """Whether a batch can get it; else a person must."""
    return (obtain, document_type) in _OF


def work_of(obtain: str, document_type: str) -> tuple[str, dict[str, Any]] | None:
    """(capability, options of the batch) that gets it; None where only a person can."""
    return _OF.get((Obtain(obtain), DocumentType(document_type)))


def type_of(capability: str, option: str | None) -> str:
    """The type of document that a batch works on."""
    return option or _USUAL.get(capability, "")


def error_words(error_type: str, message: str) -> str:
    """The latest error for people; empty when there is none."""
    if not error_type:
        return ""
    own = {
        "NotFound": _("Not on the carrier's server yet."),
        "Unusable": _("The last try left no usable file; what came may be in quarantine."),
    }
    words = own.get(error_type) or SENTENCES.get(error_type)
    return str(words) if words else f"{error_type}: {message}"[:300].rstrip(": ")
