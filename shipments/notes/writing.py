"""The changes of notes. Each is audited on its delivery; a person is told once of one note, however often it changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from core.audit import record
from core.notes import checked_note, note_summary, tell_mentioned
from core.notifications import withdraw
from shipments.models import Note, Shipment

UNDO_FOR = timedelta(days=1)
"""For so long the author of a deleted note sees where it was, with the button that brings it back."""


@transaction.atomic
def write_note(*, shipment: Shipment, author: Any, text: str, source: str = "page") -> Note:
    """Keep a note and tell whom it mentions.

    Raises:
        BadNoteError: it is empty, too long, or mentions somebody who does not exist.
    """
    text = checked_note(text)
    note = Note.objects.create(shipment=shipment, author=author, author_name=author.get_username(), text=text)
    record(actor=author, verb="note.written", target=shipment, source=source, summary=note_summary(note.text))
    _tell(note, shipment)
    return note


@transaction.atomic
def change_note(*, note: Note, text: str, actor: Any, source: str = "page") -> Note:
    """Change one's own note (see `own_note`); the same text again changes nothing.

    Raises:
        BadNoteError: as for `write_note`.
    """
    text, before = checked_note(text), note.text
    if text == before:
        return note
    note.text, note.edited = text, timezone.now()
    note.save(update_fields=["text", "edited"])
    record(actor=actor, verb="note.changed", target=note.shipment, source=source, summary=note_summary(note.text),
           before={"note": note.pk, "text": before}, after={"note": note.pk, "text": text})  # fmt: skip
    _tell(note, note.shipment)
    return note


@transaction.atomic
def delete_note(*, note: Note, actor: Any, source: str = "page") -> None:
    """Hide one's own note; who was told of it and has not read that is no longer told."""
    if Note.objects.filter(pk=note.pk, deleted=None).update(deleted=timezone.now()):
        withdraw(_key(note))
        record(actor=actor, verb="note.deleted", target=note.shipment, source=source, summary=note_summary(note.text))


@transaction.atomic
def restore_note(*, note: Note, actor: Any, source: str = "page") -> None:
    """Undo the deletion."""
    if Note.objects.filter(pk=note.pk).exclude(deleted=None).update(deleted=None):
        record(actor=actor, verb="note.restored", target=note.shipment, source=source, summary=note_summary(note.text))
        _tell(note, note.shipment)


def own_note(*, shipment_id: int, pk: int, author: Any, deleted: bool = False) -> Note:
    """One's own note of this delivery.

    Raises:
        Note.DoesNotExist: also when it is somebody else's, or deleted when it should not be (or the other way round).
    """
    rows = Note.objects.filter(shipment=shipment_id, author=author.pk, deleted__isnull=not deleted)
    return rows.select_related("shipment").get(pk=pk)


def _tell(note: Note, shipment: Shipment) -> None:
    tell_mentioned(
        note.text, author=note.author, author_name=note.author_name, where=shipment.tracking_number, url=url_of(note),
        dedupe_key=_key(note),
    )  # fmt: skip


def url_of(note: Note) -> str:
    """The note on the page of its delivery, wherever in the timeline it is."""
    return f"{reverse('shipment-detail', args=[note.shipment_id])}?show=note#note-{note.pk}"


def _key(note: Note) -> str:
    return f"note:{note.pk}"
