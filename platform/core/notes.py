"""Notes of people about anything: written, changed, deleted and taken back; who is mentioned is told.

Each change is audited on what the note is about; a person is told once of one note, however often it changes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.audit import record
from core.errors import RefusedError
from core.notifications import notify, withdraw
from core.people import MOST_MENTIONED, mentions_in, people_named

LONGEST = 4_000
UNDO_FOR = timedelta(days=1)
"""For so long the author of a deleted note sees where it was, with the button that brings it back."""


class BaseNote(models.Model):
    """One note. It stays when its author leaves; a deleted one is kept, so that deleting can be undone."""

    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    author_name = models.CharField(max_length=150)
    text = models.TextField()
    created = models.DateTimeField(default=timezone.now)
    edited = models.DateTimeField(null=True, blank=True)
    deleted = models.DateTimeField(null=True, blank=True, help_text=gettext_lazy("empty: it is shown"))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def about(self) -> models.Model:
        """What it is written about; its changes are audited there."""
        raise NotImplementedError

    @property
    def where(self) -> str:
        """What people call that."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Where it is read."""
        raise NotImplementedError

    @property
    def told_as(self) -> str:
        """The key under which people are told of it once."""
        raise NotImplementedError


class BadNoteError(RefusedError):
    """The text cannot be kept."""

    code = "invalid"
    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"text": [message]})


def checked_note(text: str) -> str:
    """The text as it is kept.

    Raises:
        BadNoteError: it is empty, too long, or mentions somebody who does not exist.
    """
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


@transaction.atomic
def keep_note(note: BaseNote, *, author: Any, text: str, source: str = "page") -> None:
    """Keep a new note (not saved yet, its subject set) and tell whom it mentions.

    Raises:
        BadNoteError: it is empty, too long, or mentions somebody who does not exist.
    """
    note.author, note.author_name, note.text = author, author.get_username(), checked_note(text)
    note.save()
    _record("note.written", note, author, source)
    _tell(note)


@transaction.atomic
def change_note(*, note: BaseNote, text: str, actor: Any, source: str = "page") -> None:
    """Change one's own note; the same text again changes nothing.

    Raises:
        BadNoteError: as for `keep_note`.
    """
    text, before = checked_note(text), note.text
    if text == before:
        return
    note.text, note.edited = text, timezone.now()
    note.save(update_fields=["text", "edited"])
    _record("note.changed", note, actor, source,
            before={"note": note.pk, "text": before}, after={"note": note.pk, "text": text})  # fmt: skip
    _tell(note)


@transaction.atomic
def delete_note(*, note: BaseNote, actor: Any, source: str = "page") -> None:
    """Hide one's own note; who was told of it and has not read that is no longer told."""
    if _rows(note).filter(deleted=None).update(deleted=timezone.now()):
        withdraw(note.told_as)
        _record("note.deleted", note, actor, source)


@transaction.atomic
def restore_note(*, note: BaseNote, actor: Any, source: str = "page") -> None:
    """Undo the deletion."""
    if _rows(note).exclude(deleted=None).update(deleted=None):
        _record("note.restored", note, actor, source)
        _tell(note)


def _rows(note: BaseNote) -> models.QuerySet[Any]:
    return type(note)._default_manager.filter(pk=note.pk)


def _record(verb: str, note: BaseNote, actor: Any, source: str, **more: Any) -> None:
    summary = _cut(" ".join(note.text.split()), 120)
    record(actor=actor, verb=verb, target=note.about, source=source, summary=summary, **more)


def _tell(note: BaseNote) -> None:
    """Everybody whom it mentions but its author."""
    author_id = None if note.author is None else note.author.pk
    people = [user for user in people_named(mentions_in(note.text)).values() if user.pk != author_id]
    if not people:
        return
    words = _("%(author)s mentioned you on %(where)s: %(text)s") % {
        "author": note.author_name, "where": note.where, "text": " ".join(note.text.split()),
    }  # fmt: skip
    notify(people, kind="mention", text=_cut(words, 300), url=note.url, dedupe_key=note.told_as)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
