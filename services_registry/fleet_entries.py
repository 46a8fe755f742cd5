"""Every function with what it came to over a range, in as little as putting them together needs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, FilteredRelation, Q
from django.utils import timezone

from core.timerange import TimeRange
from services_registry.function_facts import HEAVY, OLDEST, facts_of
from services_registry.models import Function


@dataclass(slots=True)
class Entry:
    """One function; `None` means nothing was measured, which is not zero."""

    pk: int
    name: str
    owner: str
    capability: str
    gone: datetime | None
    invocations: int | None = None
    errors: int | None = None
    timeouts: int | None = None
    cold_starts: int | None = None
    cost: Decimal | None = None
    sample: bool | None = None
    before_invocations: int | None = None
    before_errors: int | None = None
    before_timeouts: int | None = None
    before_cost: Decimal | None = None
    spark: list[int | None] | None = field(default_factory=list)


_OF_FUNCTION = ("pk", "name", "owner", "capability", "gone")
_SUMS = tuple(part.name for part in fields(Entry) if part.name not in _OF_FUNCTION)


@dataclass(frozen=True, slots=True)
class Entries:
    """`as_of` is when the sums were made."""

    rows: list[Entry]
    as_of: datetime


def entries_of(period: TimeRange) -> Entries:
    """All functions, also those that are gone. One query for a preset range whose sums are kept ready."""
    if period.name in OLDEST:
        kept = FilteredRelation("standings", condition=Q(standings__range=period.name))
        sums = {f"of_{name}": F(f"kept__{name}") for name in ("as_of", *_SUMS)}
        functions = Function.objects.annotate(kept=kept).order_by("name", "pk")
        found = list(functions.values_list(*_OF_FUNCTION, *sums.values()))
        oldest = min((row[len(_OF_FUNCTION)] for row in found if row[len(_OF_FUNCTION)]), default=None)
        if oldest is not None and timezone.now() - oldest <= OLDEST[period.name]:
            return Entries([Entry(*row[: len(_OF_FUNCTION)], *row[len(_OF_FUNCTION) + 1 :]) for row in found], oldest)
    facts = facts_of(list(Function.objects.defer(*HEAVY)), period)
    return Entries([_entry(entry) for entry in facts.rows], facts.as_of)


def _entry(facts: Any) -> Entry:
    of_function = (getattr(facts.function, name) for name in _OF_FUNCTION)
    return Entry(*of_function, *(getattr(facts, name) for name in _SUMS))
