"""What a note of a person may be, wherever it is kept, and who is told of it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from core.errors import RefusedError
from core.notifications import notify
from core.people import MOST_MENTIONED, mentions_in, people_named

LONGEST = 4_000


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


def tell_mentioned(text: str, *, author: Any, author_name: str, where: str, url: str, dedupe_key: str) -> None:
    """Tell whom a note mentions, but its author; everybody once for a `dedupe_key`."""
    author_id = None if author is None else author.pk
    people = [user for user in people_named(mentions_in(text)).values() if user.pk != author_id]
    if not people:
        return
    words = _("%(author)s mentioned you on %(where)s: %(text)s") % {
        "author": author_name, "where": where, "text": " ".join(text.split()),
    }  # fmt: skip
    notify(people, kind="mention", text=_cut(words, 300), url=url, dedupe_key=dedupe_key)


def note_summary(text: str) -> str:
    """How it begins, for the audit trail."""
    return _cut(" ".join(text.split()), 120)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
