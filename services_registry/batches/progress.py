"""How far a batch is, in the words of its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from services_registry.choices import BatchState
from services_registry.models import Batch


@dataclass(frozen=True, slots=True)
class Progress:
    """`percent` is whole and reaches 100 only when nothing is pending. `eta_s` in seconds, None while unknown."""

    percent: int
    eta_s: float | None
    elapsed_s: float
    final: bool
    poll_s: int


def progress_of(batch: Batch, now: datetime | None = None) -> Progress:
    """The remaining time is the pace so far, carried on."""
    now = now or timezone.now()
    final = batch.state != BatchState.RUNNING
    elapsed = ((batch.finished or now) - batch.created).total_seconds()
    eta = None
    if not final and batch.settled:
        eta = elapsed / batch.settled * batch.pending
    # A second for the first minute, then slower: nobody watches a long batch every second.
    return Progress(
        percent=batch.settled * 100 // batch.total if batch.total else 0,
        eta_s=eta,
        elapsed_s=max(0.0, elapsed),
        final=final,
        poll_s=1 if elapsed < 60 else 5,
    )
