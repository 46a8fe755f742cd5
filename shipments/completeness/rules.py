"""Which rule speaks for a delivery: of those that fit, one for each type of document.

The more specific rule wins: a carrier outweighs an incoterm, that outweighs destinations, these an origin, that a lane.
Between equals the one that holds since later wins, then the one made later. A rule "not expected" wins like any other:
that is how a carrier is exempt. A rule holds for what was ordered (day in UTC) while it was valid.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from shipments.choices import DueAfter, Obtain
from shipments.completeness.lanes import countries, on_lane
from shipments.models import DocumentRule


class Rule(NamedTuple):
    """A `DocumentRule` without its model: what the pure function needs."""

    id: int
    document_type: str
    carrier_id: int | None
    origin: str
    destinations: frozenset[str]
    lane: str
    incoterm: str
    from_status: str
    due_hours: int
    due_after: str
    obtain: str
    valid_from: date
    valid_until: date | None

    @classmethod
    def of(cls, row: DocumentRule) -> Rule:
        return cls(
            row.pk or 0, row.document_type, row.carrier_id, row.origin, countries(row.destinations), row.lane,
            row.incoterm, row.from_status, row.due_hours, row.due_after, row.obtain, row.valid_from, row.valid_until,
        )  # fmt: skip

    @property
    def weight(self) -> tuple[int, date, int]:
        parts = (self.carrier_id is not None, self.incoterm, self.destinations, self.origin, self.lane)
        return sum(bool(part) << place for place, part in enumerate(reversed(parts))), self.valid_from, self.id

    def fits(self, carrier_id: int, origin: str, destination: str, incoterm: str) -> bool:
        return (
            self.carrier_id in (None, carrier_id)
            and self.incoterm in ("", incoterm)
            and (not self.destinations or destination in self.destinations)
            and self.origin in ("", origin)
            and on_lane(self.lane, origin, destination)
        )

    def holds(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


class Rulebook:
    """Active rules, remembering its answers: millions of deliveries ask the same few questions."""

    def __init__(self, rules: Iterable[Rule], *, timeless: bool = False) -> None:
        """`timeless`: as if every rule had always held."""
        self._timeless = timeless
        self._rules = sorted(rules, key=lambda rule: rule.weight, reverse=True)
        self._turns = sorted(
            {day for rule in self._rules for day in (rule.valid_from, rule.valid_until) if day is not None}
        )
        self._known: dict[tuple[int, str, str, str, int], tuple[Rule, ...]] = {}
        self.asks_for_pick_up = any(
            rule.due_after == DueAfter.PICKED_UP or rule.from_status not in ("pending", "delivered")
            for rule in self._rules
        )
        self.starts = self._turns[0] if self._turns else None

    def of(self, carrier_id: int, origin: str, destination: str, incoterm: str, day: date) -> tuple[Rule, ...]:
        """The rules that speak for a delivery ordered that day, by type; those that say "not expected" are left out."""
        key = (carrier_id, origin, destination, incoterm, bisect_right(self._turns, day))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._look_up(*key[:4], day)
        return known

    def _look_up(self, carrier_id: int, origin: str, destination: str, incoterm: str, day: date) -> tuple[Rule, ...]:
        best: dict[str, Rule] = {}
        for rule in self._rules:  # the weightiest first
            known = rule.document_type in best
            if (
                not known
                and (self._timeless or rule.holds(day))
                and rule.fits(carrier_id, origin, destination, incoterm)
            ):
                best[rule.document_type] = rule
        return tuple(best[name] for name in sorted(best) if best[name].obtain != Obtain.NONE)


def current_rules() -> list[Rule]:
    """One small query."""
    return [Rule.of(row) for row in DocumentRule.objects.filter(active=True)]
