"""One re-run over the history: where it is, how it goes on after an interruption, and what came of it.

How far it is lies in the cache for a day, so that the page costs nothing; what was decided and what came of it is in the
audit trail for ever. A run that loses its place can simply be started again: done twice is done once.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db.models import QuerySet
from django.utils import timezone

from core.audit import record
from core.models import AuditEntry
from shipments.models import UnmappedCode
from shipments.status import backlog, remap

KEPT_S = 86_400
QUIET = timedelta(minutes=2)
WORK_S = 30
"""A task works for so long and then lets the next one go on, so that no restart loses more than a chunk."""


@dataclass(slots=True)
class Run:
    """`done` of `total` in events (waiting) or ids of deliveries (whole); `moves`: `{"before>after": deliveries}`."""

    id: str
    carrier_id: int | None
    code: str
    title: str
    whole: bool
    total: int
    mapping_id: int | None = None
    person_id: int | None = None
    state: str = "queued"
    done: int = 0
    cursor: int = 0
    events: int = 0
    moves: dict[str, int] = field(default_factory=dict)
    started: str = ""
    heard: str = ""
    finished: str = ""

    @property
    def final(self) -> bool:
        return self.state == "done"

    @property
    def changed(self) -> int:
        return sum(self.moves.values())

    @property
    def lines(self) -> list[remap.Line]:
        found = [(key.partition(">"), count) for key, count in self.moves.items()]
        lines = [remap.Line(before, after, count) for (before, _mark, after), count in found]
        return sorted(lines, key=lambda line: -line.count)


def prepare(
    *, carrier_id: int | None, code: str, title: str, whole: bool, mapping_id: int | None = None, person: Any = None
) -> Run:
    """Note down a re-run; whoever asks for it sends the task with its id once the change is committed."""
    run = Run(str(uuid.uuid4()), carrier_id, code, title, whole, 0, mapping_id, getattr(person, "pk", None))
    run.total = remap.newest_id() if whole else sum(_waiting(run).values_list("events", flat=True))
    run.started = timezone.now().isoformat()
    keep(run)
    return run


def load(run_id: str) -> Run | None:
    """None when it was more than a day ago."""
    kept = cache.get(_key(run_id))
    return Run(**kept) if kept else None


def recorded(run_id: str) -> Run | None:
    """A finished run from the audit trail, when the cache has forgotten it."""
    entry = AuditEntry.objects.filter(target=_target(run_id)).first()
    return Run(**entry.after) if entry and isinstance(entry.after, dict) else None


def is_quiet(run: Run) -> bool:
    """Whether nobody has worked on it for two minutes although it is not done."""
    return not run.final and timezone.now() - datetime.fromisoformat(run.heard) > QUIET


def keep(run: Run) -> None:
    run.heard = timezone.now().isoformat()
    cache.set(_key(run.id), asdict(run), KEPT_S)


def work(run_id: str, *, seconds: float = WORK_S) -> bool:
    """Go on with a run for a while; True when there is more to do. A run that is gone or done ends quietly."""
    run = load(run_id)
    until = time.monotonic() + seconds
    while run and not run.final:
        run.state = "running"
        more = step(run)
        if not more:
            _finish(run)
        keep(run)
        if more and time.monotonic() > until:
            return True
    return False


def step(run: Run) -> bool:
    """One chunk; False when it was the last. The place is kept by the caller, after the chunk is committed."""
    if run.whole:
        until = run.cursor + remap.IDS_AT_ONCE
        found = remap.in_range(run.carrier_id, run.code, run.cursor, until)
        run.cursor, run.done, more = until, min(until, run.total), until < run.total
    else:
        found = remap.next_waiting(run.carrier_id, run.code, run.cursor)
        run.cursor, more = (found[-1].id if found else run.cursor), len(found) == remap.EVENTS_AT_ONCE
        run.done += len(found)
    changed, moves = remap.give_meaning(found)
    run.events += changed
    for move in moves:
        key = f"{move.before[0]}>{move.after[0]}"
        run.moves[key] = run.moves.get(key, 0) + 1
    return more


def _finish(run: Run) -> None:
    backlog.count(_waiting(run).values_list("carrier_id", "code"))
    run.state, run.finished, run.done = "done", timezone.now().isoformat(), run.total
    person = get_user_model().objects.filter(pk=run.person_id).first() if run.person_id else None
    summary = f"{run.title}: {run.events:,} events, {run.changed:,} deliveries changed"
    record(actor=person, verb="codes.rerun", target=_target(run.id), source="system", summary=summary,
           after=asdict(run))  # fmt: skip


def _waiting(run: Run) -> QuerySet[UnmappedCode]:
    rows = UnmappedCode.objects.filter(code__in=remap.spellings_of(run.carrier_id, run.code))
    return rows.filter(carrier=run.carrier_id) if run.carrier_id else rows


def _target(run_id: str) -> str:
    return f"shipments.remap:{run_id}"


def _key(run_id: str) -> str:
    return f"remap:{run_id}"
