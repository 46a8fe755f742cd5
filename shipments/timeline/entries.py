"""What an entry of the timeline is, and the kinds there are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext_lazy as _

from shipments.models import Note

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"(\d{1,17})-(\d)-(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kind:
    label: _StrOrPromise
    icon: str
    tone: str


# Their order is that of the chips, and of entries at the very same moment. The order itself is no kind to filter by.
ORDER = "order"
KINDS = {
    "note": Kind(_("Notes"), "note", "purple"),
    "action": Kind(_("People’s actions"), "user", "secondary"),
    "document": Kind(_("Documents"), "file", "green"),
    "rule": Kind(_("Rules"), "bolt", "secondary"),
    "run": Kind(_("Function runs"), "bolt", "blue"),
    "message": Kind(_("Carrier messages"), "message", "azure"),
    "event": Kind(_("Carrier events"), "truck", "blue"),
}
RANKS = {name: rank for rank, name in enumerate([*KINDS, ORDER])}


class Badge(NamedTuple):
    value: str
    label: _StrOrPromise
    tone: str


class Cursor(NamedTuple):
    """The last entry of a page. Later pages hold what comes after it in the order (newest first, kind, newest id)."""

    at: datetime
    rank: int
    id: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.rank}-{self.id}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """None for what is no cursor of ours."""
        match = _CURSOR.fullmatch(text)
        if not match:
            return None
        micros, rank, pk = map(int, match.groups())
        try:
            return cls(_EPOCH + timedelta(microseconds=micros), rank, pk)
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `details` are shown below the text, apart from each other; `by` is who or what did it."""

    kind: str
    id: int
    at: datetime
    text: str
    icon: str
    tone: str
    badges: tuple[Badge, ...] = ()
    details: tuple[str, ...] = ()
    by: str = ""
    url: str = ""
    act_url: str = ""
    act_label: str = ""
    note: Note | None = None
    own: bool = False

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.at, RANKS[self.kind], self.id)

    @property
    def place(self) -> tuple[int, int, int]:
        """What entries are sorted by."""
        return -((self.at - _EPOCH) // timedelta(microseconds=1)), RANKS[self.kind], -self.id
