"""What a bench found: a ratio, the bound it must keep, and the figures behind it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Result:
    """`ratio` is measured against a peer, or against an absolute bound (then at most 1). `n` is the number of items.

    `figures` are the unit figures behind the ratio, with the unit in their names.
    """

    name: str
    ratio: float
    bound: str
    holds: bool
    n: int
    figures: dict[str, float] = field(default_factory=dict)


def at_most(name: str, ratio: float, limit: float, *, n: int, **figures: float) -> Result:
    return Result(name, round(ratio, 3), f"<= {limit:g}", ratio <= limit, n, _rounded(figures))


def at_least(name: str, ratio: float, limit: float, *, n: int, **figures: float) -> Result:
    return Result(name, round(ratio, 3), f">= {limit:g}", ratio >= limit, n, _rounded(figures))


def lines_of(result: Result) -> Iterable[str]:
    """As the table shows it: the ratio, and below it the figures."""
    verdict = "holds" if result.holds else "FAILS"
    yield f"{result.name:<62} {result.ratio:>9.3f}  {result.bound:<8} {verdict}"
    if result.figures:
        yield "    " + ", ".join(f"{name} {value:g}" for name, value in result.figures.items())


def write(results: Iterable[Result], path: Path) -> None:
    path.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n", encoding="utf-8")


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.4g}") for name, value in figures.items()}
