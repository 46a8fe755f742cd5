"""What people do with documents: one function each, one transaction, with its audit entry."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.errors import RefusedError
from shipments.choices import DocumentState, DocumentType, Extraction, Matching
from shipments.documents import matching
from shipments.documents.store import settle_versions, wake_readers
from shipments.models import Document, Shipment

SHORTEST_REASON = 5


def _locked(document: Document) -> Document:
    return Document.objects.select_for_update(of=("self",)).select_related("shipment").get(pk=document.pk)


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if len(reason) < SHORTEST_REASON:
        words = _("Give a reason of at least %(n)s characters; it is kept in the audit trail.")
        raise RefusedError(words % {"n": SHORTEST_REASON}, code="no_reason")
    return reason


@transaction.atomic
def release(document: Document, *, actor: Any, reason: str, source: str = "page") -> None:
    """Out of quarantine: it counts like any other from now on, is read and may be shown.

    Raises:
        RefusedError: it is not in quarantine, or there is no reason.
    """
    reason, row = _reason(reason), _locked(document)
    if row.state not in (DocumentState.QUARANTINED, DocumentState.REJECTED):
        raise RefusedError(_("Only a document in quarantine can be released."), code="not_quarantined")
    before = {"state": row.state, "problem": row.problem}
    row.state, row.problem, row.state_changed = DocumentState.STORED, "", timezone.now()
    row.extraction, row.reading_since, row.thumbnail = Extraction.WAITING, None, ""
    row.save(update_fields=["state", "problem", "state_changed", "extraction", "reading_since", "thumbnail"])
    settle_versions(row)
    record(actor=actor, verb="document.released", target=row, source=source, summary=row.name, reason=reason,
           before=before, after={"state": row.state})  # fmt: skip
    transaction.on_commit(wake_readers, robust=True)


@transaction.atomic
def reject(document: Document, *, actor: Any, reason: str, source: str = "page") -> None:
    """A file in quarantine is no good: nobody sees it in lists, and the same bytes stay rejected when they come again.

    Raises:
        RefusedError: it is not in quarantine, or there is no reason.
    """
    reason, row = _reason(reason), _locked(document)
    if row.state != DocumentState.QUARANTINED:
        raise RefusedError(_("Only a document in quarantine can be rejected."), code="not_quarantined")
    row.state, row.state_changed = DocumentState.REJECTED, timezone.now()
    row.save(update_fields=["state", "state_changed"])
    record(actor=actor, verb="document.rejected", target=row, source=source, summary=row.name, reason=reason,
           before={"state": DocumentState.QUARANTINED}, after={"state": row.state})  # fmt: skip


@transaction.atomic
def delete(document: Document, *, actor: Any, source: str = "page") -> None:
    """Out of sight; it can be taken back for 30 days, then its bytes are removed.

    Raises:
        RefusedError: it is held, or deleted already.
    """
    row = _locked(document)
    if row.held:
        raise RefusedError(_("This document is held. Lift the hold first."), code="held")
    if row.state == DocumentState.DELETED:
        raise RefusedError(_("This document is deleted already."), code="deleted")
    row.state_before, row.state, row.state_changed = row.state, DocumentState.DELETED, timezone.now()
    row.save(update_fields=["state_before", "state", "state_changed"])
    settle_versions(row)
    record(actor=actor, verb="document.deleted", target=row, source=source, summary=row.name,
           before={"state": row.state_before}, after={"state": row.state})  # fmt: skip


@transaction.atomic
def restore(document: Document, *, actor: Any, source: str = "page") -> None:
    """Take a deletion back.

    Raises:
        RefusedError: it is not deleted.
    """
    row = _locked(document)
    if row.state != DocumentState.DELETED:
        raise RefusedError(_("This document is not deleted."), code="not_deleted")
    row.state, row.state_changed = row.state_before or DocumentState.QUARANTINED, timezone.now()
    row.save(update_fields=["state", "state_changed"])
    settle_versions(row)
    record(actor=actor, verb="document.restored", target=row, source=source, summary=row.name,
           before={"state": DocumentState.DELETED}, after={"state": row.state})  # fmt: skip


@transaction.atomic
def hold(document: Document, *, actor: Any, held: bool, reason: str = "", source: str = "page") -> None:
    """Keep it whatever retention says, or no longer. A hold needs a reason."""
    row = _locked(document)
    reason = _reason(reason) if held else " ".join(reason.split())
    before, row.held = row.held, held
    row.save(update_fields=["held"])
    record(actor=actor, verb="document.held" if held else "document.hold_lifted", target=row, source=source,
           summary=row.name, reason=reason, before={"held": before}, after={"held": held})  # fmt: skip


@transaction.atomic
def change_type(document: Document, *, actor: Any, type: str, source: str = "page") -> None:
    """Say what kind of document it is.

    Raises:
        RefusedError: there is no such type, or the delivery has these bytes under it already.
    """
    row = _locked(document)
    if type not in DocumentType.values:
        raise RefusedError(_("There is no document type “%(type)s”.") % {"type": type[:30]}, code="unknown_type")
    if row.type == type:
        return
    before = row.type
    others = Document.objects.filter(shipment=row.shipment_id, type=type, name=row.name)
    row.version = max(others.values_list("version", flat=True), default=0) + 1 if row.shipment_id else 1
    row.type, row.superseded = type, False
    try:
        with transaction.atomic():
            row.save(update_fields=["type", "version", "superseded"])
    except IntegrityError as error:
        raise _has_it() from error
    for kind in (type, before):
        of_kind = Document.objects.filter(shipment=row.shipment_id, type=kind, name=row.name).first()
        if of_kind is not None:
            settle_versions(of_kind)
    record(actor=actor, verb="document.type_changed", target=row, source=source, summary=row.name,
           before={"type": before}, after={"type": type})  # fmt: skip


@transaction.atomic
def attach(document: Document, shipment: Shipment, *, actor: Any, source: str = "page", reason: str = "") -> None:
    """Say whose document it is, from the review or to mend a mistake.

    Raises:
        RefusedError: the delivery has these bytes already.
    """
    row = _locked(document)
    same = Document.objects.filter(shipment=shipment, type=row.type, sha256=row.sha256).exclude(pk=row.pk)
    if same.exists():
        raise _has_it()
    if row.shipment_id == shipment.pk:
        return
    matching.attach(row, shipment, actor=actor, source=source, reason=reason)


@transaction.atomic
def belongs_to_none(document: Document, *, actor: Any, source: str = "page") -> None:
    """A person looked: this file belongs to no delivery. It is not proposed again.

    Raises:
        RefusedError: it has a delivery.
    """
    row = _locked(document)
    if row.shipment_id is not None:
        raise RefusedError(_("This document belongs to a delivery already."), code="matched")
    row.matching = Matching.NONE
    row.save(update_fields=["matching"])
    row.candidates.all().delete()
    record(actor=actor, verb="document.unmatched", target=row, source=source, summary=row.name)


def _has_it() -> RefusedError:
    words = _("That delivery has the very same file under this type already. Delete this one instead.")
    return RefusedError(words, code="has_it")
