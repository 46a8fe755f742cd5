"""Where the entries of each kind come from: the rows that are counted and paged, and how one row reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.formats import bytes_text
from core.notes import UNDO_FOR
from shipments.choices import TONES, DocumentState, Status
from shipments.deliveries.course import span_text
from shipments.models import CarrierMessage, Document, Note, Shipment, TrackingEvent
from shipments.reasons import reason_labels
from shipments.status.derive import is_ahead
from shipments.timeline.entries import KINDS, RANKS, Badge, Cursor, Entry

MOST_COUNTED = 1_000
LATE_NEWS = timedelta(hours=1)
"""An event that we were told of later than this says so."""


class Scope:
    """One delivery as one person looks at it, and what several sources need to know."""

    def __init__(self, shipment: Shipment, viewer: Any) -> None:
        self.shipment, self.viewer = shipment, viewer

    @cached_property
    def reasons(self) -> dict[str, str]:
        """Labels of reasons by code; read when an entry has one."""
        return reason_labels()

    @cached_property
    def may_map_codes(self) -> bool:
        return bool(self.viewer.has_perm("core.administer"))

    @cached_property
    def may_write(self) -> bool:
        return bool(self.viewer.has_perm("core.operate"))


class Source(ABC):
    """One kind of entries."""

    kind: ClassVar[str]
    at: ClassVar[str]
    """The column that says when."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    @abstractmethod
    def rows(self) -> QuerySet[Any]:
        """All of them; the delivery's index answers."""

    @abstractmethod
    def entry(self, row: Any) -> Entry: ...

    def newest(self, before: Cursor | None, limit: int) -> list[Entry]:
        """The first `limit` entries after `before` in the order of the timeline."""
        rows = self.rows() if before is None else self.rows().filter(self._below(before))
        return [self.entry(row) for row in rows.order_by(f"-{self.at}", "-pk")[:limit]]

    def count(self) -> int:
        """At most one more than `MOST_COUNTED`, which means "more"."""
        return self.rows().order_by()[: MOST_COUNTED + 1].count()

    def _below(self, before: Cursor) -> Q:
        rank = RANKS[self.kind]
        if rank != before.rank:
            return Q(**{f"{self.at}__{'lte' if rank > before.rank else 'lt'}": before.at})
        return Q(**{f"{self.at}__lt": before.at}) | Q(**{self.at: before.at, "pk__lt": before.id})

    def made(self, row: Any, text: str, *, tone: str = "", **more: Any) -> Entry:
        look = KINDS[self.kind]
        return Entry(self.kind, row.pk, getattr(row, self.at), text, look.icon, tone or look.tone, **more)


class Events(Source):
    """What the carrier sent, word for word, beside what we make of it."""

    kind, at = "event", "at"

    def rows(self) -> QuerySet[TrackingEvent]:
        return self.scope.shipment.events.all()

    def entry(self, row: TrackingEvent) -> Entry:
        badges = [*_meaning(self.scope, row.status, row.reason)]
        map_url = ""
        if row.unmapped:
            badges.append(Badge("unmapped", _("not mapped"), "yellow"))
            if self.scope.may_map_codes and row.code:
                carrier = self.scope.shipment.carrier.code
                map_url = reverse("code-map", query={"carrier": carrier, "code": row.code})
        details = [row.place, _("code %s") % row.code if row.code and row.text else ""]
        if is_ahead(row.at, row.received):
            badges.append(Badge("ahead", _("dated ahead: left out"), "yellow"))
        elif row.received - row.at > LATE_NEWS:
            details.append(_("we were told %s later") % span_text(row.received - row.at))
        return self.made(
            row, row.text or row.code, tone="yellow" if row.unmapped else TONES.get(row.status, "secondary"),
            badges=tuple(badges), details=_told(details), act_url=map_url, act_label=_("Say what it means"),
        )  # fmt: skip


class Messages(Source):
    kind, at = "message", "received"

    def rows(self) -> QuerySet[CarrierMessage]:
        return self.scope.shipment.messages.all()

    def entry(self, row: CarrierMessage) -> Entry:
        badges = [*_meaning(self.scope, row.status, row.reason)] or [Badge("", _("not classified"), "secondary")]
        details = [row.translation, _("code %s") % row.code if row.code and row.text else ""]
        if row.status and row.confidence is not None:
            details.append(_("%d %% sure") % round(row.confidence * 100))
        if row.status and not row.applied:
            badges.append(Badge("review", _("not applied"), "yellow"))
        return self.made(row, row.text or row.code, badges=tuple(badges), details=_told(details))


class Documents(Source):
    kind, at = "document", "created"

    def rows(self) -> QuerySet[Document]:
        return self.scope.shipment.documents.all()

    def entry(self, row: Document) -> Entry:
        bad = row.state != DocumentState.STORED
        badges = (Badge(row.state, DocumentState(row.state).label, TONES[row.state]),) if bad else ()
        kind, name = row.get_type_display(), row.name
        return self.made(
            row, f"{kind[:1].upper()}{kind[1:]}", tone="red" if bad else "", badges=badges,
            details=_told([name, bytes_text(row.bytes), _origin(row.source), row.problem]),
            url=reverse("document-file", args=[row.pk]),
        )  # fmt: skip


class Notes(Source):
    """Those that are shown, and for a day one's own deleted ones, so that deleting can be undone."""

    kind, at = "note", "created"

    def rows(self) -> QuerySet[Note]:
        mine = Q(author=self.scope.viewer.pk, deleted__gt=timezone.now() - UNDO_FOR)
        return self.scope.shipment.remarks.filter(Q(deleted=None) | mine)

    def entry(self, row: Note) -> Entry:
        own = row.author_id == self.scope.viewer.pk and self.scope.may_write
        return self.made(row, row.text, by=row.author_name, note=row, own=own)


def _meaning(scope: Scope, status: str, reason: str) -> list[Badge]:
    """The normalised status with the label of its reason."""
    if not status:
        return []
    words = str(Status(status).label) if status in Status.values else status
    label = f"{words} · {scope.reasons.get(reason, reason)}" if reason else words
    return [Badge(status, label, TONES.get(status, "secondary"))]


def _origin(source: str) -> str:
    return {"rendered": _("rendered"), "fetched": _("fetched from the carrier"), "uploaded": _("uploaded")}.get(
        source, source
    )


def _told(details: list[str]) -> tuple[str, ...]:
    return tuple(detail for detail in details if detail)
