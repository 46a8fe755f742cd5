"""Notes of people about deliveries; how a note lives is `core.notes`."""

from __future__ import annotations

from typing import Any

from core.notes import change_note, delete_note, keep_note, restore_note
from shipments.models import Note, Shipment

__all__ = ["change_note", "delete_note", "own_note", "restore_note", "write_note"]


def write_note(*, shipment: Shipment, author: Any, text: str, source: str = "page") -> Note:
    """Keep a note. Raises BadNoteError."""
    note = Note(shipment=shipment)
    keep_note(note, author=author, text=text, source=source)
    return note


def own_note(*, shipment_id: int, pk: int, author: Any, deleted: bool = False) -> Note:
    """One's own note of this delivery.

    Raises:
        Note.DoesNotExist: also when it is somebody else's, or deleted when it should not be (or the other way round).
    """
    rows = Note.objects.filter(shipment=shipment_id, author=author.pk, deleted__isnull=not deleted)
    return rows.select_related("shipment").get(pk=pk)
