"""Which deliveries to look at again, every ten seconds. Each look ends in `refresh`, so doing too much is never wrong.

1. *Notes*: deliveries that somebody named. 2. *Changes* of deliveries and 3. of *documents*, read in the order of `updated`.
4. *Batches* that were started since. 5. *Settled*: rows being got whose batch item is over. 6. *Due*: rows whose time has
come. 7. *Rerun*: after a rule changed, all deliveries ordered since it holds, newest first, some in every round.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from shipments.completeness.kinds import CAPABILITIES
from shipments.completeness.refresh import AT_ONCE, hold, refresh
from shipments.models import CompletenessProgress, ExpectedDocument
from shipments.models.completeness import SINGLETON

ROUND_S = 8.0
"""How long one round goes on; the next is ten seconds after it began."""
SEEN_FOR = timedelta(minutes=2)
"""Longer than the transaction that starts a batch: until then it is looked for again."""
_DRAIN = """
DELETE FROM shipments_completenessnote WHERE id IN (
    SELECT id FROM shipments_completenessnote ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING shipment_id
"""
# Nobody who is still writing began before this moment, so no earlier change can appear any more.
_SETTLED_UNTIL = """
SELECT least(clock_timestamp(), min(xact_start)) FROM pg_stat_activity
WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
"""
_CHANGED = """
SELECT updated, id FROM shipments_shipment
WHERE (updated, id) > (%s, %s) AND updated < %s ORDER BY updated, id LIMIT %s
"""
_DOCUMENTS = """
SELECT updated, id, shipment_id FROM shipments_document
WHERE (updated, id) > (%s, %s) AND updated < %s ORDER BY updated, id LIMIT %s
"""
_BATCHES = """
SELECT id::text FROM services_registry_batch
WHERE created >= %s AND capability = ANY(%s) AND id <> ALL(%s::uuid[]) ORDER BY created, id LIMIT 50
"""
# Manifests have other keys than deliveries.
_NOTE_ITEMS = """
INSERT INTO shipments_completenessnote (shipment_id)
SELECT key::bigint FROM services_registry_batchitem WHERE batch_id = ANY(%s::uuid[]) AND key ~ '^[0-9]{1,18}$'
"""
# A row whose item is gone (its batch was deleted) is settled, too.
_OVER = """
SELECT e.shipment_id FROM shipments_expecteddocument e LEFT JOIN services_registry_batchitem i ON i.id = e.last_item
WHERE e.state = 'running' AND coalesce(i.state, '') <> 'pending' LIMIT %s
"""
_OLDER = """
SELECT created, id FROM shipments_shipment
WHERE (created, id) < (%s, %s) AND created >= %s ORDER BY created DESC, id DESC LIMIT %s
"""


def keep_up(now: datetime | None = None, *, seconds: float = ROUND_S) -> int:
    """One round; how many deliveries were looked at. Two at once share the work."""
    moment, until, looked_at = now or timezone.now(), time.monotonic() + seconds, 0
    _begin()
    for step in (_batches, _notes, _changes, _documents, _settled, _due, _rerun):
        found = AT_ONCE
        while found >= AT_ONCE and time.monotonic() < until:
            found = step(moment)
            looked_at += found
    CompletenessProgress.objects.filter(pk=SINGLETON).update(ran=timezone.now())
    return looked_at


def _begin() -> None:
    """The first round of all looks for batches of the last day; deliveries are gone over when rules are made."""
    values = {"batches_at": timezone.now() - timedelta(days=1)}
    CompletenessProgress.objects.get_or_create(pk=SINGLETON, defaults=values)


def rerun_from(day: date) -> None:
    """Go over all deliveries ordered from that day on, in the rounds to come; a walk under way begins anew."""
    _begin()
    progress = CompletenessProgress.objects.select_for_update().get(pk=SINGLETON)
    progress.rerun_from = min(day, progress.rerun_from or day)
    progress.rerun_at, progress.rerun_id, progress.rerun_done = None, 0, 0
    progress.save(update_fields=["rerun_from", "rerun_at", "rerun_id", "rerun_done"])


def _one_by_one(step: Callable[[CompletenessProgress, datetime], int]) -> Callable[[datetime], int]:
    """A step that reads on from where the last one came to, and keeps how far, in one transaction."""

    def run(now: datetime) -> int:
        with transaction.atomic():
            hold()
            return step(CompletenessProgress.objects.select_for_update().get(pk=SINGLETON), now)

    return run


def _notes(now: datetime) -> int:
    with transaction.atomic():
        hold()
        rows = _rows(_DRAIN, [AT_ONCE])
        refresh([pk for (pk,) in rows], now)
    return len(rows)


@_one_by_one
def _changes(progress: CompletenessProgress, now: datetime) -> int:
    ((until,),) = _rows(_SETTLED_UNTIL, [])
    rows = _rows(_CHANGED, [progress.read_at, progress.read_id, until, AT_ONCE])
    if rows:
        refresh([pk for _updated, pk in rows], now)
        progress.read_at, progress.read_id = rows[-1]
        progress.save(update_fields=["read_at", "read_id"])
    return len(rows)


@_one_by_one
def _documents(progress: CompletenessProgress, now: datetime) -> int:
    ((until,),) = _rows(_SETTLED_UNTIL, [])
    rows = _rows(_DOCUMENTS, [progress.documents_at, progress.documents_id, until, AT_ONCE])
    if rows:
        refresh([shipment for _updated, _pk, shipment in rows if shipment is not None], now)
        progress.documents_at, progress.documents_id = rows[-1][:2]
        progress.save(update_fields=["documents_at", "documents_id"])
    return len(rows)


@_one_by_one
def _batches(progress: CompletenessProgress, now: datetime) -> int:
    """Their deliveries are noted. What was started before `SEEN_FOR` ago cannot appear any more."""
    ids = [pk for (pk,) in _rows(_BATCHES, [progress.batches_at, list(CAPABILITIES), progress.batches_seen])]
    with connection.cursor() as cursor:
        if ids:
            cursor.execute(_NOTE_ITEMS, [ids])
    progress.batches_seen = [*progress.batches_seen, *ids][-500:]
    horizon = timezone.now() - SEEN_FOR
    if not ids and horizon > progress.batches_at:
        progress.batches_at = horizon
    progress.save(update_fields=["batches_at", "batches_seen"])
    return 0


def _settled(now: datetime) -> int:
    return _refreshed(_rows(_OVER, [AT_ONCE]), now)


def _due(now: datetime) -> int:
    due = ExpectedDocument.objects.filter(state="waiting", due__lte=now).order_by("due")
    return _refreshed(list(due.values_list("shipment_id")[:AT_ONCE]), now)


def _refreshed(rows: list[tuple[Any, ...]], now: datetime) -> int:
    """The next look would find the same rows again if `refresh` changed nothing, so then it ends."""
    done = refresh([pk for (pk,) in rows], now)
    return len(rows) if done.written or done.dropped else 0


@_one_by_one
def _rerun(progress: CompletenessProgress, now: datetime) -> int:
    if progress.rerun_from is None:
        return 0
    after = (progress.rerun_at or now + timedelta(days=36_500), progress.rerun_id)
    rows = _rows(_OLDER, [*after, progress.rerun_from, AT_ONCE])
    refresh([pk for _created, pk in rows], now)
    progress.rerun_done += len(rows)
    if rows:
        progress.rerun_at, progress.rerun_id = rows[-1]
    if len(rows) < AT_ONCE:
        progress.rerun_from, progress.rerun_at, progress.rerun_id = None, None, 0
    progress.save(update_fields=["rerun_from", "rerun_at", "rerun_id", "rerun_done"])
    return len(rows)


def _rows(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
