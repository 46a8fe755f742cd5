"""The changes of notes. Each is audited on its delivery; a person is told once of one note, however often it changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.errors import RefusedError
from core.notifications import notify, withdraw
from core.people import MOST_MENTIONED, mentions_in, people_named
from shipments.models import Note, Shipment

LONGEST = 4_000
UNDO_FOR = timedelta(days=1)
"""For so long the author of a deleted note sees where it was, with the button that brings it back."""


class BadNoteError(RefusedError):
    """The text cannot be kept."""

    code = "invalid"
    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"text": [message]})


@transaction.atomic
def write_note(*, shipment: Shipment, author: Any, text: str, source: str = "page") -> Note:
    """Keep a note and tell whom it mentions.

    Raises:
        BadNoteError: it is empty, too long, or mentions somebody who does not exist.
    """
    text = _checked(text)
    note = Note.objects.create(shipment=shipment, author=author, author_name=author.get_username(), text=text)
    record(actor=author, verb="note.written", target=shipment, source=source, summary=_summary(note))
    _tell(note, shipment)
    return note


@transaction.atomic
def change_note(*, note: Note, text: str, actor: Any, source: str = "page") -> Note:
    """Change one's own note (see `own_note`); the same text again changes nothing.

    Raises:
        BadNoteError: as for `write_note`.
    """
    text, before = _checked(text), note.text
    if text == before:
        return note
    note.text, note.edited = text, timezone.now()
    note.save(update_fields=["text", "edited"])
    record(actor=actor, verb="note.changed", target=note.shipment, source=source, summary=_summary(note),
           before={"note": note.pk, "text": before}, after={"note": note.pk, "text": text})  # fmt: skip
    _tell(note, note.shipment)
    return note


@transaction.atomic
def delete_note(*, note: Note, actor: Any, source: str = "page") -> None:
    """Hide one's own note; who was told of it and has not read that is no longer told."""
    if Note.objects.filter(pk=note.pk, deleted=None).update(deleted=timezone.now()):
        withdraw(_key(note))
        record(actor=actor, verb="note.deleted", target=note.shipment, source=source, summary=_summary(note))


@transaction.atomic
def restore_note(*, note: Note, actor: Any, source: str = "page") -> None:
    """Undo the deletion."""
    if Note.objects.filter(pk=note.pk).exclude(deleted=None).update(deleted=None):
        record(actor=actor, verb="note.restored", target=note.shipment, source=source, summary=_summary(note))
        _tell(note, note.shipment)


def own_note(*, shipment_id: int, pk: int, author: Any, deleted: bool = False) -> Note:
    """One's own note of this delivery.

    Raises:
        Note.DoesNotExist: also when it is somebody else's, or deleted when it should not be (or the other way round).
    """
    rows = Note.objects.filter(shipment=shipment_id, author=author.pk, deleted__isnull=not deleted)
    return rows.select_related("shipment").get(pk=pk)


def _checked(text: str) -> str:
    text = text.replace("\0", "").replace("\r\n", "\n").strip()
    if not text:
        raise BadNoteError(_("Write something first."))
    if len(text) > LONGEST:
        raise BadNoteError(
            _("A note may have at most %(most)s characters; this one has %(n)s.")
            % {"most": f"{LONGEST:,}", "n": f"{len(text):,}"}
        )
    mentioned = mentions_in(text)
    if len(mentioned) > MOST_MENTIONED:
        raise BadNoteError(_("A note may mention at most %(n)s people.") % {"n": MOST_MENTIONED})
    known = people_named(mentioned)
    unknown = [f"@{name}" for name in mentioned if name.lower() not in known]
    if unknown:
        raise BadNoteError(_("There is nobody called %(names)s.") % {"names": ", ".join(unknown)[:200]})
    return text


def _tell(note: Note, shipment: Shipment) -> None:
    people = [user for user in people_named(mentions_in(note.text)).values() if user.pk != note.author_id]
    if not people:
        return
    begins = " ".join(note.text.split())
    words = _("%(author)s mentioned you on %(number)s: %(text)s") % {
        "author": note.author_name, "number": shipment.tracking_number, "text": begins,
    }  # fmt: skip
    notify(people, kind="mention", text=_cut(words, 300), url=url_of(note), dedupe_key=_key(note))


def url_of(note: Note) -> str:
    """The note on the page of its delivery, wherever in the timeline it is."""
    return f"{reverse('shipment-detail', args=[note.shipment_id])}?show=note#note-{note.pk}"


def _key(note: Note) -> str:
    return f"note:{note.pk}"


def _summary(note: Note) -> str:
    return _cut(" ".join(note.text.split()), 120)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
