"""The days of a month as bars, drawn as SVG: what prints the report runs no script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

WIDTH, HEIGHT, FOOT, GAP = 720.0, 150.0, 16.0, 3.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One day; places in the drawing's own units, as text for its attributes."""

    x: str
    y: str
    width: str
    height: str
    middle: str
    label: str
    odd: bool


@dataclass(frozen=True, slots=True)
class Picture:
    width: int
    height: int
    base: int
    bars: list[Bar]
    highest: Decimal


def picture_of(days: Mapping[date, Decimal], odd: set[date]) -> Picture | None:
    """`odd`: days on which something was unusual; they are drawn darker."""
    if not days:
        return None
    highest = max(days.values())
    step = WIDTH / len(days)
    bars = []
    for place, (day, amount) in enumerate(sorted(days.items())):
        tall = float(max(amount, Decimal(0)) / highest) * (HEIGHT - FOOT - 4) if highest > 0 else 0.0
        x, y = place * step + GAP / 2, HEIGHT - FOOT - tall
        width = step - GAP
        bars.append(
            Bar(f"{x:.1f}", f"{y:.1f}", f"{width:.1f}", f"{tall:.1f}", f"{x + width / 2:.1f}", str(day.day), day in odd)
        )
    return Picture(int(WIDTH), int(HEIGHT), int(HEIGHT - FOOT), bars, highest)
