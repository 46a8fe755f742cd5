"""From rows of rollups to the points of a course: sums, percentiles and the estimated cost of each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from typing import Any

from services_registry import pricing
from services_registry.choices import Origin
from services_registry.courses import At, Point
from services_registry.function_facts import EXACT, SHARES
from services_registry.telemetry.histogram import percentiles

Row = Mapping[str, Any]
COUNTS = ("invocations", "errors", "timeouts", "cold_starts", "init_ms", "billed_ms")
FIELDS = (*COUNTS, "billed_mb_ms", "max_memory_mb", "origin", "histogram")
"""What a row holds beside its time."""
_NAMES, _PARTS = [name for name, _share in SHARES], [share for _name, share in SHARES]


def points_of(rows: Sequence[Row], at: str, costs: Mapping[At, Decimal]) -> list[Point]:
    """A point for each time that the rows have, which are in order of it."""
    grouped: dict[At, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[at], []).append(row)
    return [
        Point(
            at=moment, **{name: sum(row[name] for row in group) for name in COUNTS},
            max_memory_mb=max(row["max_memory_mb"] for row in group), cost=costs.get(moment),
            sample=any(row["origin"] == Origin.SAMPLE for row in group),
            percentiles=named_percentiles([row["histogram"] for row in group]),
        )
        for moment, group in grouped.items()
    ]  # fmt: skip


def named_percentiles(histograms: Sequence[bytes | memoryview]) -> dict[str, float | None]:
    """p50, p95 and p99 of all of them together, in ms."""
    return dict(zip(_NAMES, percentiles(histograms, _PARTS), strict=True))


def costs_of(rows: Sequence[Row], at: str, usage: Callable[[Row, date], pricing.Usage]) -> dict[At, Decimal]:
    """Estimated USD of each time; none where no price is known. `usage`: what a row of that day used."""
    costs: dict[At, Decimal] = {}
    with localcontext(EXACT):
        for row, cost in zip(rows, pricing.estimate([usage(row, _day(row[at])) for row in rows]), strict=True):
            if cost is not None:
                costs[row[at]] = costs.get(row[at], Decimal(0)) + cost
    return costs


def _day(at: At) -> date:
    return at.astimezone(UTC).date() if isinstance(at, datetime) else at
