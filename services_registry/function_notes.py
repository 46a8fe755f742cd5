"""Notes of people about functions; how a note lives is `core.notes`."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from core.notes import UNDO_FOR, change_note, delete_note, keep_note, restore_note
from services_registry.models import Function, FunctionNote

__all__ = ["change_note", "delete_note", "notes_of", "own_note", "restore_note", "write_note"]


def notes_of(function: Function, viewer: Any) -> QuerySet[FunctionNote]:
    """What is shown to a person, newest first: every note, and one's own deleted ones while they can be taken back."""
    undoable = Q(author_id=viewer.pk, deleted__gte=timezone.now() - UNDO_FOR)
    return FunctionNote.objects.filter(Q(deleted=None) | undoable, function=function)


def write_note(*, function: Function, author: Any, text: str, source: str = "page") -> FunctionNote:
    """Keep a note. Raises BadNoteError."""
    note = FunctionNote(function=function)
    keep_note(note, author=author, text=text, source=source)
    return note


def own_note(*, function_id: int, pk: int, author: Any, deleted: bool = False) -> FunctionNote:
    """One's own note of this function.

    Raises:
        FunctionNote.DoesNotExist: also when it is somebody else's, or deleted when it should not be (or the other way
            round).
    """
    rows = FunctionNote.objects.filter(function=function_id, author=author.pk, deleted__isnull=not deleted)
    return rows.select_related("function", "author").get(pk=pk)
