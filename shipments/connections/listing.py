"""A listing becomes state: what is new, what still grows, what is whole and may be fetched, what has gone."""

from __future__ import annotations

import zoneinfo
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shipments.choices import RemoteState
from shipments.connections.later import clean_later, fetch_later
from shipments.connections.matching import match_all, pattern_of
from shipments.models import CarrierConnection, RemoteFile

APART = timedelta(seconds=10)
"""Two listings tell that a file is whole only when some time lies between them."""
EMPTY_PATIENCE = timedelta(hours=24)
LOOK_AGAIN = timedelta(seconds=60)
"""While files may still grow, the next sweep comes soon."""
FRESH = timedelta(hours=12)
"""How often rows of files that nothing is to be done for are touched."""
AT_ONCE = 2_000
KEPT_HISTORY = 30
WAITING = (RemoteState.SEEN, RemoteState.STABLE)
Facts = dict[str, int]


def add_history(row: RemoteFile, words: str, now: datetime) -> None:
    """What happened to a file, in words; the latest 30 are kept."""
    row.history = [*row.history, [now.isoformat(timespec="seconds"), row.state, words[:200]]][-KEPT_HISTORY:]


@transaction.atomic
def take_listing(connection: CarrierConnection, value: Mapping[str, Any]) -> Facts:
    """Keep what a sweep's listing says; returns counts for people.

    Raises:
        ItemError: the pattern cannot work.
    """
    now = timezone.now()
    entries = {str(entry["address"]): entry for entry in value.get("files", [])}
    known = {row.address: row for row in RemoteFile.objects.select_for_update().filter(connection=connection)}
    counts: Counter[str] = Counter(listed=len(entries))
    counts.update(_keep_known(connection, known, entries, now))
    counts.update(_keep_new(connection, [entries[key] for key in entries if key not in known], now))
    if not value.get("cut"):
        counts.update(_note_gone([row for key, row in known.items() if key not in entries], now))
    counts["refused"] = len(value.get("refused", []))
    facts = dict(counts) | {"cut": int(bool(value.get("cut")))}
    _note_sweep(connection, facts, value, now)
    return facts


def _keep_known(
    connection: CarrierConnection, known: Mapping[str, RemoteFile], entries: Mapping[str, Any], now: datetime
) -> Facts:
    counts: Counter[str] = Counter()
    changed: list[RemoteFile] = []
    for address in known.keys() & entries.keys():
        row, entry = known[address], entries[address]
        same = (row.size, row.stamp) == (entry.get("size"), _stamp(entry))
        what = _changed(row, entry, connection, now) if not same else _unchanged(row, now)
        counts[what] += 1
        if what or not row.on_server or now - row.last_seen > FRESH or row.state in WAITING:
            row.last_seen, row.on_server = now, True
            changed.append(row)
    _save(changed)
    del counts[""]
    return dict(counts)


def _unchanged(row: RemoteFile, now: datetime) -> str:
    """What a second look at a file says, in one word for the counts; empty: nothing."""
    if row.state == RemoteState.GONE:
        return _again(row, _("It is back on the server."), now)
    if row.state == RemoteState.STABLE:
        return "waiting"
    if row.state != RemoteState.SEEN:
        return ""
    if not row.size and row.size is not None:
        return _empty(row, now)
    if now - row.last_seen < APART:
        return "growing"
    row.state, row.next_try, row.last_error = RemoteState.STABLE, now, ""
    add_history(row, _("Unchanged since the last listing: whole."), now)
    return "waiting"


def _empty(row: RemoteFile, now: datetime) -> str:
    if now - row.first_seen < EMPTY_PATIENCE:
        row.last_error = _("It is empty on the server; it is looked at again.")
        return "growing"
    row.state, row.last_error = RemoteState.QUARANTINED, _("It has been empty on the server for a day.")
    add_history(row, row.last_error, now)
    return "empty"


def _changed(row: RemoteFile, entry: Mapping[str, Any], connection: CarrierConnection, now: datetime) -> str:
    words = _("It changed on the server: %(old)s, now %(new)s bytes.") % {"old": row.size, "new": entry.get("size")}
    row.size, row.stamp, row.modified = (
        entry.get("size"),
        _stamp(entry),
        moment_of(entry.get("modified"), connection.zone),
    )
    if row.state == RemoteState.SEEN:
        row.last_error = ""
        return "growing"
    row.cleaned = None
    return _again(row, words, now)


def _again(row: RemoteFile, words: str, now: datetime) -> str:
    row.state, row.tries, row.next_try, row.last_error = RemoteState.SEEN, 0, None, ""
    add_history(row, words, now)
    return "growing"


def _keep_new(connection: CarrierConnection, entries: Sequence[Mapping[str, Any]], now: datetime) -> Facts:
    pattern = pattern_of(connection)
    numbers = {
        str(entry["address"]): pattern.candidates(str(entry.get("folder", "")), str(entry["name"])) for entry in entries
    }
    taken = [entry for entry in entries if numbers[str(entry["address"])]]
    matches = match_all(
        connection.carrier_id, {str(entry["address"]): numbers[str(entry["address"])] for entry in taken}
    )
    rows = []
    for entry in taken:
        match = matches[str(entry["address"])]
        row = RemoteFile(
            connection=connection, address=entry["address"], name=str(entry["name"])[:300],
            folder=str(entry.get("folder", ""))[:400], size=entry.get("size"), stamp=_stamp(entry), number=match.number,
            modified=moment_of(entry.get("modified"), connection.zone), shipment_id=match.shipment, first_seen=now,
            last_seen=now,
        )  # fmt: skip
        add_history(row, _("Seen for the first time: %(bytes)s bytes.") % {"bytes": entry.get("size")}, now)
        rows.append(row)
    RemoteFile.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
    return {"new": len(rows), "growing": len(rows), "other": len(entries) - len(rows)}


def _note_gone(missing: Sequence[RemoteFile], now: datetime) -> Facts:
    left = [row for row in missing if row.on_server]
    gone = 0
    for row in left:
        row.on_server = False
        if row.state in WAITING:
            row.state, row.last_error = RemoteState.GONE, _("It vanished from the server before it was fetched.")
            add_history(row, row.last_error, now)
            gone += 1
    _save(left)
    return {"gone": gone}


def _save(rows: Sequence[RemoteFile]) -> None:
    fields = [
        "size", "stamp", "modified", "state", "last_seen", "on_server", "tries", "next_try", "last_error", "cleaned",
        "history",
    ]  # fmt: skip
    RemoteFile.objects.bulk_update(rows, fields, batch_size=AT_ONCE)


def _note_sweep(connection: CarrierConnection, facts: Facts, value: Mapping[str, Any], now: datetime) -> None:
    refused = [[str(name)[:100], str(why)] for name, why in value.get("refused", [])[:20]]
    changes: dict[str, Any] = {"last_sweep": now, "last_listing": {**facts, "refused_names": refused}}
    soon = now + LOOK_AGAIN
    if facts.get("growing") and connection.sweep_minutes and (connection.next_sweep or soon) >= soon:
        changes["next_sweep"] = soon
    CarrierConnection.objects.filter(pk=connection.pk).update(**changes)
    transaction.on_commit(partial(fetch_later, connection.pk))
    transaction.on_commit(partial(clean_later, connection.pk))


def _stamp(entry: Mapping[str, Any]) -> str:
    return str(entry.get("modified") or "")[:40]


def moment_of(text: object, zone: str) -> datetime | None:
    """A time of a listing; without an offset it is by the carrier's clock."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zoneinfo.ZoneInfo(zone))).astimezone(UTC)
