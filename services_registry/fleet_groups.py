"""The functions of the fleet put together by owner or capability, and those that changed most. From sums kept ready."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from decimal import Decimal, localcontext
from heapq import nsmallest
from typing import Any
from urllib.parse import urlencode

from core.timerange import TimeRange
from services_registry.fleet_entries import Entries, Entry
from services_registry.function_columns import MINIMUM_SAMPLE
from services_registry.function_facts import BY_HOURS, EXACT

SHOWN_MOVERS = 5
BY = ("owner", "capability")
_COUNTS = ("invocations", "errors", "timeouts", "cold_starts")


@dataclass(slots=True)
class Group:
    """Functions that share an owner or a capability. Costs are None when no price is known."""

    name: str
    functions: int = 0
    invocations: int = 0
    errors: int = 0
    timeouts: int = 0
    cold_starts: int = 0
    before_invocations: int = 0
    cost: Decimal | None = None
    before_cost: Decimal | None = None
    sparks: list[list[int | None]] = field(default_factory=list)
    share: float | None = None
    cost_share: float | None = None
    query: str = ""

    def course(self) -> list[int | None]:
        """Its calls by step, None where none of its functions was measured."""
        steps = zip(*self.sparks, strict=False)
        return [sum([n for n in step if n is not None]) if any(n is not None for n in step) else None for step in steps]

    @property
    def error_share(self) -> float | None:
        return self.errors / self.invocations if self.invocations else None

    @property
    def few(self) -> bool:
        """Whether a rate of these calls says little."""
        return 0 < self.invocations < MINIMUM_SAMPLE

    @property
    def change(self) -> float | None:
        return self.invocations / self.before_invocations - 1 if self.before_invocations else None


def groups_by(name: str, entries: Sequence[Entry], period: TimeRange) -> list[Group]:
    """The most called first; each with its shares of everything and the query of its list."""
    groups: dict[str, Group] = {}
    for entry in entries:
        key = getattr(entry, name)
        _add(groups.setdefault(key, Group(key)), entry)
    calls = sum(group.invocations for group in groups.values())
    cost = _sum(group.cost for group in groups.values())
    for group in groups.values():
        group.share = group.invocations / calls if calls else None
        group.cost_share = float(group.cost / cost) if cost and group.cost is not None else None
        group.query = f"{period.query}&{urlencode({name: group.name})}" if group.name else ""
    return sorted(groups.values(), key=lambda group: (-group.invocations, group.name))


def _add(group: Group, entry: Entry) -> None:
    group.functions += 1
    for name in _COUNTS:
        setattr(group, name, getattr(group, name) + (getattr(entry, name) or 0))
    group.before_invocations += entry.before_invocations or 0
    group.cost, group.before_cost = _sum((group.cost, entry.cost)), _sum((group.before_cost, entry.before_cost))
    if entry.spark:
        group.sparks.append(entry.spark)


def _sum(parts: Iterable[Decimal | None]) -> Decimal | None:
    known = [part for part in parts if part is not None]
    with localcontext(EXACT):
        return sum(known, Decimal(0)) if known else None


def courses_of(groups: Sequence[Group], entries: Entries, period: TimeRange) -> tuple[list[Any], dict[str, list[Any]]]:
    """(times, values by group): the latest steps of each, at most 90: hours up to two days, UTC days beyond."""
    named = {group.name: group.course() for group in groups}
    count = max((len(values) for values in named.values()), default=0)
    step = timedelta(hours=1) if period.length <= BY_HOURS else timedelta(days=1)
    last: Any = entries.as_of.astimezone(UTC)
    last = last.replace(minute=0, second=0, microsecond=0) if period.length <= BY_HOURS else last.date()
    times = [last - step * back for back in range(count - 1, -1, -1)]
    return times, {name: values for name, values in named.items() if count and len(values) == count}


@dataclass(frozen=True, slots=True)
class Mover:
    """A function whose number changed: `now` and `before` are what was compared."""

    entry: Entry
    now: Any
    before: Any

    @property
    def rose(self) -> bool:
        return bool(self.now > self.before)


def movers(entries: Iterable[Entry], name: str) -> list[Mover]:
    """Those that differ most from the period before, in absolute numbers; only where that was measured."""
    found = [
        Mover(entry, getattr(entry, name) or 0, before) for entry in entries
        if (before := getattr(entry, f"before_{name}")) is not None
        and max(entry.invocations or 0, entry.before_invocations or 0) >= MINIMUM_SAMPLE
    ]  # fmt: skip
    moved = [mover for mover in found if mover.now != mover.before]
    return nsmallest(SHOWN_MOVERS, moved, key=lambda mover: (-abs(mover.now - mover.before), mover.entry.name))
