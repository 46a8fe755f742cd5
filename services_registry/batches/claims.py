"""Claiming chunks: which ones may be invoked now, and whose they are while that lasts.

A claim is a chunk in state `running` with a worker, an attempt number and a lease. It holds as long as its process
renews the lease; whoever settles the chunk must still hold the claim. All times are the database's, so that workers need
not agree on the time; a lease or pause further ahead than any can be is taken for a clock that jumped.
"""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from services_registry.batches.fair import FunctionKey, Open, allocate
from services_registry.batches.target import DEFAULT_TIMEOUT_S
from services_registry.models import Batch, EngineSettings

CLAIM_LOCK = 7_305_002  # any number that no other advisory lock uses
LEASE_S = 20
RENEW_EVERY_S = 5.0
LONGEST_WAIT_S = 900
"""After so long of being put off, the items fail and a person decides."""

DUE = f"(c.not_before IS NULL OR c.not_before <= now() OR c.not_before > now() + interval '{LONGEST_WAIT_S + 60} seconds')"
LAPSED = f"(c.lease_until < now() OR c.lease_until > now() + interval '{LEASE_S * 3} seconds')"

_OPEN = f"""
SELECT b.id, b.function_name, b.region, coalesce(b.created_by_id::text, b.created_by_name), b.priority, b.concurrency,
       (SELECT count(*) FROM services_registry_chunk c
         WHERE c.batch_id = b.id AND c.state IN ('running', 'checking') AND c.state = 'running' AND c.id <> ALL(%s::uuid[])),
       b.state = 'running' AND NOT b.cancel_requested, EXISTS (
           SELECT 1 FROM services_registry_chunk c WHERE c.batch_id = b.id AND c.state = 'queued' AND {DUE})
  FROM services_registry_batch b
 WHERE b.state IN ('running', 'paused', 'halted')
 ORDER BY b.created, b.id
"""  # noqa: S608  # constants only
# Payloads that a batch brought along are put together here: as text they pass through Python unread. A payload's own
# `id` gives way, because of two equal members the last one counts.
_PARTS = """
SELECT taken.*, items.ids, items.payloads
  FROM taken LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(i.key, i.id) ORDER BY i.position)::text AS ids,
           string_agg(CASE WHEN NOT b.envelope THEN i.input::text ELSE
                          left(i.input::text, -1) || CASE WHEN i.input = '{}' THEN '' ELSE ',' END
                          || '"id":' || to_json(i.key) || '}' END, ',' ORDER BY i.position) AS payloads
      FROM services_registry_batchitem i JOIN services_registry_batch b ON b.id = i.batch_id
     WHERE i.chunk_id = taken.id AND i.state = 'pending') items ON true
 ORDER BY taken.position
"""
_CLAIM = f"""
WITH next AS (
    SELECT c.id FROM services_registry_chunk c
     WHERE c.batch_id = %s AND c.state = 'queued' AND {DUE}
     ORDER BY c.position LIMIT %s FOR UPDATE SKIP LOCKED),
taken AS (
    UPDATE services_registry_chunk c
       SET state = 'running', worker = %s, lease_until = now() + interval '{LEASE_S} seconds', started = now(),
           attempt = c.attempt + 1
      FROM next WHERE c.id = next.id
    RETURNING c.batch_id, c.id, c.attempt, c.position, c."group", c.depth, c.waits, c.waiting_since)
{_PARTS}
"""  # noqa: S608  # constants only
_GIVE_BACK = """
UPDATE services_registry_chunk SET state = 'queued', worker = '', lease_until = NULL, attempt = attempt - 1
 WHERE worker = %s AND id = ANY(%s::uuid[]) AND state = 'running'
"""
# What is locked is being settled at this moment and needs no lease; waiting for it could end in a deadlock.
_RENEW = f"""
UPDATE services_registry_chunk SET lease_until = now() + interval '{LEASE_S} seconds'
 WHERE id IN (SELECT id FROM services_registry_chunk
               WHERE state IN ('running', 'checking') AND state = 'running' AND worker = %s AND id = ANY(%s::uuid[])
                 FOR UPDATE SKIP LOCKED)
"""  # noqa: S608  # constants only


_FUNCTIONS = """
SELECT f.name, f.region, f.timeout_s, f.dispatch_limit, b.bound
  FROM (SELECT name, region, timeout_s, dispatch_limit FROM services_registry_function
         WHERE name = ANY(%s::text[]) AND gone IS NULL
        UNION ALL SELECT name, '', NULL, NULL FROM unnest(%s::text[]) AS name) f
  LEFT JOIN LATERAL (SELECT max(concurrency) AS bound FROM services_registry_capabilitybinding
                      WHERE function_name = f.name) b ON true
"""
_CHECK = f"""
WITH next AS (
    SELECT c.id FROM services_registry_chunk c
     WHERE c.state IN ('running', 'checking') AND c.state = 'checking' AND {DUE} LIMIT %s FOR UPDATE SKIP LOCKED),
taken AS (
    UPDATE services_registry_chunk c
       SET state = 'running', worker = %s, lease_until = now() + interval '{LEASE_S} seconds'
      FROM next WHERE c.id = next.id
    RETURNING c.batch_id, c.id, c.attempt, c.position, c."group", c.depth, c.waits, c.waiting_since)
{_PARTS}
"""  # noqa: S608  # constants only


@dataclass(slots=True)
class Claim:
    """One chunk that this process may invoke once. `ids` are the rows of its pending items, by key, in order.

    `payloads` is what the items brought along: JSON objects with commas between them, or the one payload of a plain run.
    """

    chunk_id: UUID
    batch: Batch
    worker: str
    attempt: int
    position: int
    group: str
    depth: int
    waits: int
    waiting_since: datetime | None
    timeout_s: int
    ids: dict[str, int] = field(default_factory=dict)
    payloads: str | None = None
    seen_live: dict[UUID, float] = field(default_factory=dict)
    at: float = field(default_factory=time.monotonic)

    @property
    def last_seen_live(self) -> float:
        """When it was last known that the batch may go on, by the monotonic clock."""
        return max(self.at, self.seen_live.get(self.batch.pk, self.at))

    @property
    def pk(self) -> UUID:
        return self.chunk_id

    @property
    def batch_id(self) -> UUID:
        return self.batch.pk

    @property
    def function(self) -> FunctionKey:
        return self.batch.function_name, self.batch.region

    @property
    def keys(self) -> list[str]:
        return list(self.ids)


@dataclass(slots=True)
class Taken:
    """What one turn came to: chunks to begin now, chunks claimed ahead, how many in hand to begin, batches to let go."""

    now: list[Claim] = field(default_factory=list)
    ahead: list[Claim] = field(default_factory=list)
    from_hand: dict[UUID, int] = field(default_factory=dict)
    stale: set[UUID] = field(default_factory=set)


def _listed(ids: Iterable[UUID]) -> str:
    """An array as text: put together ten times faster than one of parameters."""
    return f"{{{','.join(str(one) for one in ids)}}}"


class Limits:
    """The limits that people may change at any time, read again after `FRESH_S`."""

    FRESH_S = 0.5

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._known: set[FunctionKey] = set()
        self.overall = 0
        self.of_function: dict[FunctionKey, int] = {}
        self.timeout_s: dict[FunctionKey, int] = {}

    def refresh(self, batches: Sequence[Open]) -> None:
        """Read what these batches need, unless it was read a moment ago."""
        functions = {batch.function for batch in batches}
        if time.monotonic() - self._read_at < self.FRESH_S and functions <= self._known:
            return
        asked: defaultdict[FunctionKey, int] = defaultdict(int)
        for batch in batches:
            asked[batch.function] = max(asked[batch.function], batch.limit)
        self.overall = EngineSettings.current().concurrency
        found = self._facts({name for name, _region in functions})
        for function in functions:
            name, region = function
            timeout_s, own, bound = found.get((name, region)) or found.get((name, "")) or (None, None, None)
            self.timeout_s[function] = timeout_s or DEFAULT_TIMEOUT_S
            self.of_function[function] = own if own is not None else bound or asked[function]
        self._known, self._read_at = functions, time.monotonic()

    @staticmethod
    def _facts(names: Collection[str]) -> dict[FunctionKey, tuple[int | None, int | None, int | None]]:
        """(time-out in s, own limit, the bindings' limit) by function; under region "" what holds without a row."""
        with connection.cursor() as cursor:
            cursor.execute(_FUNCTIONS, [list(names), list(names)])
            return {
                (name, region): (timeout_s, own, bound) for name, region, timeout_s, own, bound in cursor.fetchall()
            }


class Claims:
    """What one process claims. Keeps the batches it works on, of which only what never changes is read here."""

    def __init__(self) -> None:
        self.worker = f"{socket.gethostname()[:50]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
        self.limits = Limits()
        self._batches: dict[UUID, Batch] = {}
        self._seen_live: dict[UUID, float] = {}
        self._live: set[UUID] = set()

    def take(self, room: int) -> list[Claim]:
        """Claim up to `room` chunks, as the limits and fairness allow."""
        return self.turn(room).now

    def turn(
        self,
        room: int,
        *,
        answered: Collection[UUID] = (),
        gate: Callable[[FunctionKey, int], int] = lambda _function, limit: limit,
        in_hand: Mapping[UUID, int] = MappingProxyType({}),
        ahead: Callable[[UUID, FunctionKey, int], int] = lambda _batch, _function, _active: 0,
    ) -> Taken:
        """Hand out up to `room` places, as the limits, the gate and fairness allow.

        Args:
            answered: our own chunks that hold no place: the invocation is over, or has not begun.
            in_hand: how many chunks of a batch are claimed ahead: they get its places first.
            ahead: how many more of a batch to claim ahead, given its id, function and invocations.
        """
        with transaction.atomic(), connection.cursor() as cursor:
            # One process decides at a time, for a millisecond.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLAIM_LOCK])
            cursor.execute(_OPEN, [_listed(answered)])
            self._live.clear()
            batches = [self._open(in_hand, *row) for row in cursor.fetchall()]
            taken = Taken(stale=set(in_hand) - self._live)
            if not any(batch.ready for batch in batches):
                return taken
            self.limits.refresh(batches)
            limits = {key: gate(key, limit) for key, limit in self.limits.of_function.items()}
            free = self.limits.overall - sum(batch.active for batch in batches)
            given = allocate(batches, limits, min(room, max(0, free)))
            wanted = {}
            for batch in batches:
                count = given[batch.batch_id]
                used = min(count, in_hand.get(batch.batch_id, 0))
                more = ahead(batch.batch_id, batch.function, batch.active + count) if batch.ready else 0
                more = max(0, more - (in_hand.get(batch.batch_id, 0) - used))
                if used:
                    taken.from_hand[batch.batch_id] = used
                if count - used + more:
                    wanted[batch.batch_id] = (count - used, count - used + more)
            self._learn(wanted)
            for batch_id, (now, both) in wanted.items():
                cursor.execute(_CLAIM, [batch_id, both, self.worker])
                claims = [self._claim(*row) for row in cursor.fetchall()]
                taken.now += claims[:now]
                taken.ahead += claims[now:]
        return taken

    def give_back(self, unused: Collection[UUID]) -> None:
        """Queue chunks again that were claimed ahead and never begun."""
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, [self.worker, _listed(unused)])

    def take_to_check(self, most: int) -> list[Claim]:
        """Claim chunks whose outcome is unknown, in order to ask after them; they are not invoked."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_CHECK, [most, self.worker])
            rows = cursor.fetchall()
            self._learn({batch_id for batch_id, *_rest in rows})
        return [self._claim(*row) for row in rows]

    def renew(self, held: Collection[UUID]) -> int:
        """Extend our leases; a chunk that somebody else has taken over meanwhile is left alone."""
        with connection.cursor() as cursor:
            cursor.execute(_RENEW, [self.worker, _listed(held)])
            return int(cursor.rowcount)

    def _open(self, in_hand: Mapping[UUID, int], batch_id: UUID, name: str, region: str, *rest: Any) -> Open:
        person, weight, limit, active, live, queued = rest
        if live:
            self._live.add(batch_id)
            self._seen_live[batch_id] = time.monotonic()
        return Open(batch_id, (name, region), person, weight, limit, active, live and (queued or batch_id in in_hand))

    def _learn(self, wanted: Collection[UUID]) -> None:
        missing = [batch_id for batch_id in wanted if batch_id not in self._batches]
        if len(self._batches) > 500:
            self._batches = {batch_id: self._batches[batch_id] for batch_id in wanted if batch_id in self._batches}
            self._seen_live.clear()
        if missing:
            # The selection of a big batch is big, and nobody needs it here.
            self._batches |= Batch.objects.defer("selection", "plan").in_bulk(missing)

    def _claim(self, batch_id: UUID, chunk_id: UUID, attempt: int, *rest: Any) -> Claim:
        position, group, depth, waits, since, ids, payloads = rest
        batch = self._batches[batch_id]
        timeout_s = self.limits.timeout_s.get((batch.function_name, batch.region), DEFAULT_TIMEOUT_S)
        return Claim(
            chunk_id, batch, self.worker, attempt, position, group, depth, waits, since, timeout_s,
            ids=dict(json.loads(ids)) if ids else {}, payloads=payloads, seen_live=self._seen_live,
        )  # fmt: skip
