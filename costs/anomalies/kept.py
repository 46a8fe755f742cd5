"""Keeping what a look at a day found: new ones are written, known ones get the present numbers, what is usual now is gone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from costs.anomalies.choices import AnomalyState
from costs.models import CostAnomaly

NUMBERS = ("actual", "expected", "low", "high", "delta", "days", "parts", "facts", "revision_id")


def keep(
    day: date, basis: str, unusual: Sequence[CostAnomaly], usual: Collection[tuple[int | None, str, str]]
) -> list[CostAnomaly]:
    """The new ones. Call it in the transaction in which they are told.

    Args:
        usual: (function, service, currency) of what was looked at and found usual.
    """
    rows = CostAnomaly.objects.select_for_update().filter(day=day, basis=basis)
    known = {(row.function_id, row.service, row.currency): row for row in rows}
    new = []
    for made in unusual:
        row = known.get((made.function_id, made.service, made.currency))
        if row is None:
            new.append(made)
        else:
            _renew(row, made)
    gone = [row.pk for place, row in known.items() if place in usual and row.state == AnomalyState.OPEN]
    CostAnomaly.objects.filter(pk__in=gone).update(state=AnomalyState.GONE)
    return CostAnomaly.objects.bulk_create(new)


def _renew(row: CostAnomaly, made: CostAnomaly) -> None:
    """What a person said of it stays."""
    values: dict[str, Any] = {name: getattr(made, name) for name in NUMBERS}
    if row.state == AnomalyState.GONE:
        values["state"] = AnomalyState.OPEN
    CostAnomaly.objects.filter(pk=row.pk).update(**values)
