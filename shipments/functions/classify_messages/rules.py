"""The decisions that follow from concepts: an ordered list for the status, one for the reason (data/rules.txt)."""

from dataclasses import dataclass

from shipments.functions.classify_messages.lexicon import DATA, Lexicon

STATUSES = frozenset(
    [
        "pending",
        "picked_up",
        "in_transit",
        "out_for_delivery",
        "ready_for_pickup",
        "delivered",
        "delivery_delayed",
        "delivery_failed",
        "on_hold",
        "return_to_sender",
        "cancelled",
        "unknown",
    ]
)
"""Karrio's TrackingStatus values."""


CONFIDENCE = {"a": 0.95, "b": 0.88, "c": 0.6, "d": 0.84}
"""Chance of being right by strength of a rule, rounded from what was measured (docs/classification.md)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Fires when all `needs` bits are there and none of `bars`. `rank` 0 is the highest."""

    rank: int
    value: str
    strength: str
    confidence: float
    needs: int
    bars: int
    gist: str


def load_rules(lexicon: Lexicon) -> tuple[list[Rule], list[Rule]]:
    """The status rules and the reason rules, highest first. Raises ValueError for a line that is not understood."""
    statuses: list[Rule] = []
    reasons: list[Rule] = []
    target = statuses
    for number, line in enumerate((DATA / "rules.txt").read_text(encoding="utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        if line == "[reasons]":
            target = reasons
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if target is reasons:
            cells = [cells[0], "b", cells[1], ""]
        value, strength, concepts, gist = cells
        strength, _, own = strength.partition(" ")
        if target is statuses and value not in STATUSES:
            raise ValueError(f"rules.txt line {number}: {value!r} is not a status")
        needs, bars = _masks(lexicon, concepts)
        confidence = float(own or CONFIDENCE[strength])
        target.append(Rule(len(target), value, strength, confidence, needs, bars, gist))
    return statuses, reasons


def _masks(lexicon: Lexicon, concepts: str) -> tuple[int, int]:
    needs = bars = 0
    for name in concepts.split():
        if name.startswith("-"):
            bars |= lexicon.bit(name[1:])
        else:
            needs |= lexicon.bit(name)
    return needs, bars


def first(rules: list[Rule], mask: int) -> Rule | None:
    """The highest rule that fires on these concepts."""
    for rule in rules:
        if mask & rule.needs == rule.needs and not mask & rule.bars:
            return rule
    return None
