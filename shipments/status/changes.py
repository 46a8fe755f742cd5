"""Making, changing and taking back what a carrier's code means; each is audited, and the history is gone over afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.audit import record
from shipments.models import Carrier, CodeMapping
from shipments.status.meaning import Codebook, Meaning, Row, forget, spelling


@dataclass(frozen=True, slots=True)
class Change:
    """A mapping that somebody wants (`status`), or wants taken back (`undo`: its id). Not stored yet."""

    carrier_id: int
    code: str
    status: str = ""
    reason: str = ""
    valid_from: date = date(2000, 1, 1)
    undo: int | None = None

    def book(self) -> Codebook:
        """What codes would mean after it."""
        book = Codebook(without=self.undo)
        if self.undo is None:
            said = Meaning(self.status, self.reason, mapped=True)
            book.add(self.carrier_id, self.code, Row(self.valid_from, None, said))
            return book
        gone = CodeMapping.objects.filter(pk=self.undo).first()
        earlier = _ended_for(gone) if gone else None
        if gone and earlier:
            said = Meaning(earlier.status, earlier.reason, mapped=True)
            book.add(self.carrier_id, self.code, Row(earlier.valid_from, gone.valid_until, said))
        return book

    def touches_mapped(self) -> bool:
        """Whether events that have a meaning may get another one: then the whole history is looked at, not the backlog."""
        return self.undo is not None or Codebook().knows(self.carrier_id, self.code)


@transaction.atomic
def save_mapping(change: Change, *, actor: Any, source: str = "page") -> CodeMapping:
    """Store it as a new dated row: the row that held until then ends on that day; one of the very same day is replaced."""
    rows = CodeMapping.objects.select_for_update().filter(carrier=change.carrier_id, code__iexact=change.code)
    carrier, code = Carrier.objects.get(pk=change.carrier_id), spelling(change.code)
    before = [_facts(row) for row in rows]
    running = rows.filter(valid_from__lt=change.valid_from)
    running.filter(Q(valid_until=None) | Q(valid_until__gt=change.valid_from)).update(valid_until=change.valid_from)
    values = {
        "code": code, "status": change.status, "reason": change.reason, "source": "decided by a person",
        "valid_until": None, "changed_by": actor.get_username(), "changed": timezone.now(),
    }  # fmt: skip
    same = rows.filter(valid_from=change.valid_from).first()
    if same:
        CodeMapping.objects.filter(pk=same.pk).update(**values)
        mapping = CodeMapping.objects.get(pk=same.pk)
    else:
        mapping = CodeMapping.objects.create(carrier=carrier, valid_from=change.valid_from, **values)
    summary = f"{carrier.code} {code}: {change.status} {change.reason}".strip()
    record(actor=actor, verb="codes.mapped", target=mapping, source=source, summary=summary,
           before=before, after=_facts(mapping))  # fmt: skip
    forget()
    return mapping


@transaction.atomic
def take_back(mapping: CodeMapping, *, actor: Any, source: str = "page") -> None:
    """Delete the row; the one that ended for its sake holds again. Its events lose their meaning at the next re-run."""
    earlier = _ended_for(mapping)
    summary = f"{mapping.carrier.code if mapping.carrier else 'all carriers'} {mapping.code}: taken back"
    record(actor=actor, verb="codes.taken_back", target=mapping, source=source, summary=summary, before=_facts(mapping))
    CodeMapping.objects.filter(pk=mapping.pk).delete()
    if earlier:
        CodeMapping.objects.filter(pk=earlier.pk).update(valid_until=mapping.valid_until)
    forget()


def _ended_for(mapping: CodeMapping) -> CodeMapping | None:
    """The row that ended where this one begins."""
    rows = CodeMapping.objects.filter(carrier=mapping.carrier_id, code__iexact=mapping.code)
    return rows.filter(valid_until=mapping.valid_from).first()


def _facts(row: CodeMapping) -> dict[str, Any]:
    return {
        "id": row.pk, "code": row.code, "status": row.status, "reason": row.reason,
        "valid_from": row.valid_from.isoformat(),
        "valid_until": row.valid_until.isoformat() if row.valid_until else None, "changed_by": row.changed_by,
    }  # fmt: skip
