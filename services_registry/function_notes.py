"""Notes of people about functions: written, changed, deleted and taken back. Each change is audited on its function."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from core.audit import record
from core.notes import checked_note, note_summary, tell_mentioned
from core.notifications import withdraw
from services_registry.models import Function, FunctionNote

UNDO_FOR = timedelta(days=1)
"""For so long the author of a deleted note sees where it was, with the button that brings it back."""


def notes_of(function: Function, viewer: Any) -> QuerySet[FunctionNote]:
    """What is shown to a person, newest first: every note, and one's own deleted ones while they can be taken back."""
    undoable = Q(author_id=viewer.pk, deleted__gte=timezone.now() - UNDO_FOR)
    return FunctionNote.objects.filter(Q(deleted=None) | undoable, function=function)


@transaction.atomic
def write_note(*, function: Function, author: Any, text: str, source: str = "page") -> FunctionNote:
    """Keep a note and tell whom it mentions.

    Raises:
        BadNoteError: it is empty, too long, or mentions somebody who does not exist.
    """
    text = checked_note(text)
    note = FunctionNote.objects.create(function=function, author=author, author_name=author.get_username(), text=text)
    record(actor=author, verb="note.written", target=function, source=source, summary=note_summary(text))
    _tell(note)
    return note


@transaction.atomic
def change_note(*, note: FunctionNote, text: str, actor: Any, source: str = "page") -> FunctionNote:
    """Change one's own note (see `own_note`); the same text again changes nothing.

    Raises:
        BadNoteError: as for `write_note`.
    """
    text, before = checked_note(text), note.text
    if text == before:
        return note
    note.text, note.edited = text, timezone.now()
    note.save(update_fields=["text", "edited"])
    record(actor=actor, verb="note.changed", target=note.function, source=source, summary=note_summary(text),
           before={"note": note.pk, "text": before}, after={"note": note.pk, "text": text})  # fmt: skip
    _tell(note)
    return note


@transaction.atomic
def delete_note(*, note: FunctionNote, actor: Any, source: str = "page") -> None:
    """Hide one's own note; who was told of it and has not read that is no longer told."""
    if FunctionNote.objects.filter(pk=note.pk, deleted=None).update(deleted=timezone.now()):
        withdraw(_key(note))
        record(actor=actor, verb="note.deleted", target=note.function, source=source, summary=note_summary(note.text))


@transaction.atomic
def restore_note(*, note: FunctionNote, actor: Any, source: str = "page") -> None:
    """Undo the deletion."""
    if FunctionNote.objects.filter(pk=note.pk).exclude(deleted=None).update(deleted=None):
        record(actor=actor, verb="note.restored", target=note.function, source=source, summary=note_summary(note.text))
        _tell(note)


def own_note(*, function_id: int, pk: int, author: Any, deleted: bool = False) -> FunctionNote:
    """One's own note of this function.

    Raises:
        FunctionNote.DoesNotExist: also when it is somebody else's, or deleted when it should not be (or the other way
            round).
    """
    rows = FunctionNote.objects.filter(function=function_id, author=author.pk, deleted__isnull=not deleted)
    return rows.select_related("function", "author").get(pk=pk)


def url_of(note: FunctionNote) -> str:
    return f"{reverse('function-detail', args=[note.function_id])}#note-{note.pk}"


def _tell(note: FunctionNote) -> None:
    tell_mentioned(
        note.text, author=note.author, author_name=note.author_name, where=note.function.name, url=url_of(note),
        dedupe_key=_key(note),
    )  # fmt: skip


def _key(note: FunctionNote) -> str:
    return f"function-note:{note.pk}"
