"""Counting for the home page, part by part: one that fails or takes too long keeps its old numbers, and the page says how
old they are; the others go on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from core.bounded import TookTooLongError, time_limit
from shipments.models import HomePart
from shipments.rollups import counts, hours

logger = logging.getLogger(__name__)
EVERY = timedelta(minutes=5)
"""How often the schedule counts (CELERY_BEAT_SCHEDULE)."""
WHOLE_EVERY = timedelta(hours=24)
LIMIT_MS = 30_000
"""Of one statement; at eight million deliveries the longest takes two seconds."""
ASK_AGAIN_S = 20
Count = Callable[[Any, datetime], None]


@dataclass(frozen=True, slots=True)
class Part:
    """`count` replaces its rows; `whole`, where there is one, does so for all of the past, once in `WHOLE_EVERY`."""

    name: str
    count: Count
    every: timedelta = EVERY
    whole: Count | None = None


PARTS = (
    Part("open", counts.count_open),
    Part("hours", hours.count_hours, whole=hours.count_all_hours),
    Part("messages", counts.count_messages),
    Part("unmapped", counts.count_unmapped),
    Part("proofs", counts.count_proofs, every=timedelta(minutes=15)),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`said`: counted, failed, or busy (somebody else is counting it at this moment)."""

    part: str
    said: str
    took_ms: int = 0
    problem: str = ""


def refresh(now: datetime | None = None, *, only_due: bool = False) -> list[Outcome]:
    """Count everything, or what is due. Safe at any time, twice at once, and again: the same data give the same rows."""
    moment = now or timezone.now()
    return [_refreshed(part, moment) for part in PARTS if not only_due or _is_due(part, moment)]


def _is_due(part: Part, now: datetime) -> bool:
    row = HomePart.objects.filter(pk=part.name).first()
    # The schedule may come a little early.
    return row is None or row.as_of is None or now - row.as_of >= part.every - timedelta(seconds=30)


def _refreshed(part: Part, now: datetime) -> Outcome:
    HomePart.objects.get_or_create(pk=part.name)
    began = time.monotonic()
    try:
        with transaction.atomic(), time_limit(LIMIT_MS), connection.cursor() as cursor:
            row = HomePart.objects.select_for_update(skip_locked=True).filter(pk=part.name).first()
            if row is None:
                return Outcome(part.name, "busy")
            whole = part.whole if row.whole_as_of is None or now - row.whole_as_of >= WHOLE_EVERY else None
            (whole or part.count)(cursor, now)
            row.as_of, row.problem, row.problem_at = now, "", None
            row.whole_as_of = now if whole else row.whole_as_of
            row.took_ms = round((time.monotonic() - began) * 1000)
            row.save()
    except (TookTooLongError, DatabaseError) as error:
        return _failed(part, error)
    return Outcome(part.name, "counted", row.took_ms)


def _failed(part: Part, error: Exception) -> Outcome:
    logger.warning("home numbers were not counted part=%s error=%s", part.name, error)
    took_too_long = isinstance(error, TookTooLongError)
    problem = f"took longer than {LIMIT_MS // 1000} s" if took_too_long else f"database: {type(error).__name__}"
    HomePart.objects.filter(pk=part.name).update(problem=problem, problem_at=timezone.now())
    return Outcome(part.name, "failed", problem=problem)


def ask_refresh() -> bool:
    """Whether a person's wish for new numbers is passed on; not when somebody had it a moment ago.

    It changes no data of anybody, so it leaves no entry in the audit trail.
    """
    return bool(cache.add("shipments.home.asked", 1, ASK_AGAIN_S))
