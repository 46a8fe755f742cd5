"""How far a batch is, and when it will be done, in the words of its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from services_registry.choices import OPEN_BATCHES, BatchState
from services_registry.models import Batch

CLOSELY_S = 60
"""So long a page asks every second: after that nobody watches a batch so closely."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Items settled per second over the last `window_s` seconds."""

    per_second: float
    window_s: float


@dataclass(frozen=True, slots=True)
class Progress:
    """`percent` is whole and reaches 100 only when nothing is pending. `eta_s` in seconds, None while unknown.

    `pace` is what the estimate stands on; None when nothing was settled of late or nothing is being done now.
    """

    percent: int
    eta_s: float | None
    elapsed_s: float
    final: bool
    poll_s: int
    overall: float | None = None
    pace: Pace | None = None


def progress_of(batch: Batch, now: datetime | None = None, *, pace: Pace | None = None) -> Progress:
    """The remaining time is the recent pace carried on (`insight.pace_of`), else the pace since the start. No query."""
    now = now or timezone.now()
    final = batch.state not in OPEN_BATCHES
    elapsed = max(0.0, ((batch.finished or now) - batch.created).total_seconds())
    overall = batch.settled / elapsed if elapsed and batch.settled else None
    if pace is None and overall:
        pace = Pace(overall, elapsed)
    moving = batch.state == BatchState.RUNNING and not batch.cancel_requested
    return Progress(
        percent=batch.settled * 100 // batch.total if batch.total else 0,
        eta_s=batch.pending / pace.per_second if moving and pace and pace.per_second else None,
        elapsed_s=elapsed,
        final=final,
        poll_s=1 if elapsed < CLOSELY_S else 5,
        overall=overall,
        pace=pace if moving else None,
    )
