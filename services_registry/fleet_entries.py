"""Every function with what it came to over a range, in as little as putting them together needs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal

from django.db.models import F, FilteredRelation, Q
from django.utils import timezone

from core.timerange import TimeRange
from services_registry.fleet_sums import Place, sums_by_function
from services_registry.function_facts import OLDEST
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
    return Entries(_summed(period), timezone.now())


def _summed(period: TimeRange) -> list[Entry]:
    """The same, summed now; without courses."""
    functions = list(
        Function.objects.order_by("name", "pk").values_list(*_OF_FUNCTION, "region", "architecture", "ephemeral_mb")
    )
    places = {row[0]: Place(*row[len(_OF_FUNCTION) :]) for row in functions}
    now, before = sums_by_function(period, places), sums_by_function(period.before(), places)
    rows = []
    for row in functions:
        entry = Entry(*row[: len(_OF_FUNCTION)])
        if sums := now.get(entry.pk):
            entry.invocations, entry.errors, entry.timeouts = sums.invocations, sums.errors, sums.timeouts
            entry.cold_starts, entry.cost = sums.cold_starts, sums.cost
        if sums := before.get(entry.pk):
            entry.before_invocations, entry.before_errors = sums.invocations, sums.errors
            entry.before_timeouts, entry.before_cost = sums.timeouts, sums.cost
        rows.append(entry)
    return rows
