"""Batches that start by themselves, again and again.

1. Every 30 seconds `run_due` looks for schedules whose time has come.
2. Each is claimed by moving `next_run` on from the value that was read: of two workers only one changes the row. Claim,
   batch and record are one transaction, so a crash undoes all three and the next look does them again.
3. While its last batch is open a schedule starts no other one; the skipped time stays on record with that batch.

`next_run` is a slot of the schedule's grid (the slot before plus its interval), so nothing drifts. A slot starts up to
`jitter_seconds` later: by chance, but computed from schedule and slot, so that all workers agree on it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.audit import record
from core.errors import RefusedError
from services_registry import capabilities
from services_registry.batches.errors import BatchError
from services_registry.batches.start import start_batch
from services_registry.capabilities import Asked
from services_registry.choices import OPEN_BATCHES, Priority, RunResult
from services_registry.models import Batch, BatchSchedule, ScheduleRun

logger = logging.getLogger(__name__)

KEPT = timedelta(days=90)
"""How long runs stay on record."""
RECENT = timedelta(days=7)
LARGEST_JITTER = 3
"""Jitter is at most this part of the interval: a slot is then over well before the next one comes."""


def run_due(now: datetime | None = None) -> list[ScheduleRun]:
    """Start whatever is due. One schedule that cannot be handled is logged, stays due, and holds up no other."""
    now = now or timezone.now()
    due = BatchSchedule.objects.filter(active=True, next_run__lte=now).select_related("owner")
    runs: list[ScheduleRun] = []
    for schedule in due.order_by("next_run", "pk"):
        try:
            runs += _take(schedule, now)
        except Exception:  # any failure of one schedule must not keep the others from starting
            logger.exception("schedule could not be handled, tried again soon schedule=%s", schedule.pk)
    return runs


def run_now(schedule: BatchSchedule, *, actor: Any, source: str) -> ScheduleRun:
    """Start at once, beside the timetable, in the name of the one who asked. Works for paused schedules, too.

    Raises:
        BatchError: its last batch is still open.
    """
    with transaction.atomic():
        locked = BatchSchedule.objects.select_for_update().get(pk=schedule.pk)
        if busy := open_batch(locked):
            raise BatchError(_busy_words(busy), code="schedule_busy")
        record(actor=actor, verb="schedule.run_now", target=locked, source=source, summary=locked.name)
        return _start(locked, timezone.now(), actor=actor, source=source)


def pause_schedule(schedule: BatchSchedule, *, actor: Any, source: str, reason: str = "") -> bool:
    """Start nothing until it is resumed; a batch under way goes on. False when it was paused already."""
    with transaction.atomic():
        changed = BatchSchedule.objects.filter(pk=schedule.pk, active=True).update(active=False)
        if changed:
            _audit(schedule, "schedule.paused", actor, source, reason)
    return bool(changed)


def resume_schedule(schedule: BatchSchedule, *, actor: Any, source: str, reason: str = "") -> bool:
    """Go on with the next slot of the grid; those that passed meanwhile were not missed, they were not wanted."""
    with transaction.atomic():
        locked = BatchSchedule.objects.select_for_update().get(pk=schedule.pk)
        if locked.active:
            return False
        locked.active, locked.next_run = True, next_slot(locked, timezone.now())
        locked.save(update_fields=["active", "next_run"])
        _audit(locked, "schedule.resumed", actor, source, reason)
    return True


def open_batch(schedule: BatchSchedule) -> Batch | None:
    """Its latest batch that is neither done nor cancelled."""
    return Batch.objects.filter(schedule=schedule, state__in=OPEN_BATCHES).order_by("-created").first()


def items_meant(capability: str, selection: Mapping[str, Any], context: Mapping[str, Any] | None = None) -> int:
    """How many items a selection means at this moment.

    Raises:
        SelectionError: the capability is unknown, or cannot understand the selection or the options.
    """
    kind = capabilities.get(capability)
    return len({item.key for item in kind.items_of(Asked(selection, kind.options(context or {})))})


def schedules_with_results(now: datetime | None = None) -> QuerySet[BatchSchedule]:
    """Schedules with `last_result`, `last_due` and `skipped` (times in the last 7 days), in one query."""
    since = (now or timezone.now()) - RECENT
    latest = ScheduleRun.objects.filter(schedule=OuterRef("pk")).order_by("-due", "-id")
    return BatchSchedule.objects.annotate(
        last_result=Subquery(latest.values("result")[:1]),
        last_due=Subquery(latest.values("due")[:1]),
        skipped=Count("runs", filter=Q(runs__result=RunResult.SKIPPED, runs__due__gte=since)),
    )


def starts_at(schedule: BatchSchedule) -> datetime:
    """When its next slot starts, jitter included."""
    return schedule.next_run + _jitter(schedule, schedule.next_run)


def next_slot(schedule: BatchSchedule, now: datetime) -> datetime:
    """The first slot of its grid that is not over."""
    if schedule.next_run >= now:
        return schedule.next_run
    return schedule.next_run - (schedule.next_run - now) // _every(schedule) * _every(schedule)


def _take(schedule: BatchSchedule, now: datetime) -> list[ScheduleRun]:
    """Claim what has come up since the last look: slots that went by unseen, and the latest once its jitter is over."""
    missed = (now - schedule.next_run) // _every(schedule)
    slot = schedule.next_run + missed * _every(schedule)
    ready = now >= slot + _jitter(schedule, slot)
    if not (missed or ready):
        return []
    with transaction.atomic():
        unclaimed = BatchSchedule.objects.filter(pk=schedule.pk, active=True, next_run=schedule.next_run)
        if not unclaimed.update(next_run=slot + _every(schedule) if ready else slot):
            return []
        schedule.runs.filter(due__lt=now - KEPT).delete()
        runs = [_keep(schedule, schedule.next_run, RunResult.SKIPPED, _missed_words(missed))] if missed else []
        if ready:
            runs.append(_start(schedule, slot, actor=schedule.owner, source="schedule"))
    return runs


def _start(schedule: BatchSchedule, due: datetime, *, actor: Any, source: str) -> ScheduleRun:
    """What comes of one due time. The key makes a repetition after a crash the same batch."""
    if known := schedule.runs.filter(due=due).first():
        return known
    if busy := open_batch(schedule):
        return _keep(schedule, due, RunResult.SKIPPED, _busy_words(busy), busy)
    try:
        with transaction.atomic():  # a failed start must not undo the claim, or it would come back every 30 seconds
            batch = start_batch(
                capability=schedule.capability,
                selection=schedule.selection,
                context=schedule.context,
                priority=Priority(schedule.priority),
                title=schedule.name,
                schedule=schedule,
                idempotency_key=f"schedule-{schedule.pk}-{due.isoformat()}",
                actor=actor,
                source=source,
            )
    except RefusedError as refusal:
        if refusal.code == "empty_selection":
            return _keep(schedule, due, RunResult.EMPTY, _("Its selection means no items at the moment."))
        return _keep(schedule, due, RunResult.FAILED, refusal.message)
    except Exception as error:  # whatever a capability raises is one failed run, on record
        logger.exception("schedule could not start its batch schedule=%s", schedule.pk)
        words = _("An unexpected error (%(type)s); the worker's log has the details.") % {"type": type(error).__name__}
        return _keep(schedule, due, RunResult.FAILED, words)
    return _keep(schedule, due, RunResult.STARTED, batch=batch)


def _keep(
    schedule: BatchSchedule, due: datetime, result: RunResult, note: str = "", batch: Batch | None = None
) -> ScheduleRun:
    values = {"result": result, "note": note[:300], "batch": batch}
    return ScheduleRun.objects.get_or_create(schedule=schedule, due=due, defaults=values)[0]


def _audit(schedule: BatchSchedule, verb: str, actor: Any, source: str, reason: str) -> None:
    record(actor=actor, verb=verb, target=schedule, source=source, summary=schedule.name, reason=reason)


def _every(schedule: BatchSchedule) -> timedelta:
    return timedelta(minutes=max(1, schedule.every_minutes))


def _jitter(schedule: BatchSchedule, slot: datetime) -> timedelta:
    most = min(timedelta(seconds=schedule.jitter_seconds), _every(schedule) / LARGEST_JITTER)
    digest = hashlib.sha256(f"{schedule.pk} {slot.timestamp()}".encode()).digest()
    return most * (int.from_bytes(digest[:4]) / 2**32)


def _busy_words(batch: Batch) -> str:
    return _("Its batch “%(title)s” is still %(state)s.") % {"title": batch.title, "state": batch.get_state_display()}


def _missed_words(count: int) -> str:
    return ngettext(
        "Missed %(count)d time while nothing was running.", "Missed %(count)d times while nothing was running.", count
    ) % {"count": count}
