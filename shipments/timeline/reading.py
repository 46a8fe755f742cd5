"""A page of the timeline: the sources merged, newest first, by day in the person's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from shipments.models import Shipment
from shipments.timeline.asked import Asked
from shipments.timeline.entries import KINDS, ORDER, RANKS, Entry, Kind
from shipments.timeline.sources import MOST_COUNTED, Documents, Events, Messages, Notes, Scope, Source
from shipments.timeline.work import Actions, Rules, Runs

PAGE_SIZE = 50
SOURCES: tuple[type[Source], ...] = (Notes, Actions, Documents, Rules, Runs, Messages, Events)


@dataclass(frozen=True, slots=True)
class Chip:
    """One kind with how many there are; `query` is the address with it added or taken away."""

    name: str
    kind: Kind
    count: int
    more: bool
    chosen: bool
    query: str


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    label: str
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Timeline:
    """`older` and `newest` are addresses, empty where there is nothing older, or where this is the newest."""

    asked: Asked
    days: list[Day]
    chips: list[Chip]
    older: str
    newest: str
    may_write: bool

    @property
    def everything(self) -> str:
        return self.asked.everything().query or "?"

    @property
    def query(self) -> str:
        return self.asked.query

    @property
    def done(self) -> str:
        """The same without editing anything."""
        return self.asked.editing(None).query or "?"


def timeline_of(shipment: Shipment, asked: Asked, viewer: Any) -> Timeline:
    """At most `PAGE_SIZE` entries. One query for each kind, and one to count each kind that does not end on this page."""
    scope = Scope(shipment, viewer)
    found: list[Entry] = []
    counts: dict[str, int] = {}
    for source in (make(scope) for make in SOURCES):
        wanted = not asked.show or source.kind in asked.show
        entries = source.newest(asked.before, PAGE_SIZE + 1) if wanted else []
        known = wanted and asked.before is None and len(entries) <= PAGE_SIZE
        counts[source.kind] = len(entries) if known else source.count()
        found += entries
    found += _beginning(shipment, asked)
    found.sort(key=lambda entry: entry.place)
    shown = found[:PAGE_SIZE]
    return Timeline(
        asked=asked,
        days=_by_day(shown),
        chips=_chips(asked, counts),
        older=asked.older_than(shown[-1].cursor).query if len(found) > PAGE_SIZE else "",
        newest=asked.newest().query or "?" if asked.before else "",
        may_write=scope.may_write,
    )


def _beginning(shipment: Shipment, asked: Asked) -> list[Entry]:
    """The order, which is of no kind: it is there while nothing is filtered."""
    entry = Entry(ORDER, shipment.pk, shipment.created, _("Order taken"), "box", "secondary")
    before = asked.before
    after = before is None or entry.at < before.at or (entry.at == before.at and before.rank < RANKS[ORDER])
    return [entry] if after and not asked.show else []


def _by_day(entries: list[Entry]) -> list[Day]:
    today = timezone.localdate()
    grouped = groupby(entries, key=lambda entry: timezone.localtime(entry.at).date())
    return [Day(day, _day_label(day, today), list(rows)) for day, rows in grouped]


def _day_label(day: date, today: date) -> str:
    written = formats.date_format(day, "D j M Y")
    if day == today:
        return _("Today, %s") % written
    return _("Yesterday, %s") % written if day == today - timedelta(days=1) else written


def _chips(asked: Asked, counts: dict[str, int]) -> list[Chip]:
    return [
        Chip(
            name, kind, min(counts[name], MOST_COUNTED), counts[name] > MOST_COUNTED, name in asked.show,
            asked.toggled(name).query or "?",
        )
        for name, kind in KINDS.items()
    ]  # fmt: skip
