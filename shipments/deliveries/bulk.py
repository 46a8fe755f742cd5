"""Up to 10,000 deliveries of one API request: an outcome for every row, in their order. Sent again, nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from core.audit import record
from shipments.deliveries.columns import COLUMNS, CleanRow, Problem, clean
from shipments.deliveries.gathering import Gathered
from shipments.deliveries.mapping import NESTED, Meanings
from shipments.deliveries.reading import IMPORT_COLUMNS
from shipments.deliveries.refused import plain
from shipments.deliveries.upsert import upsert_each

MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class RowError:
    field: str
    code: str
    message: str


@dataclass(slots=True)
class RowOutcome:
    """`outcome`: created, updated, unchanged or refused; `id` is None for a refused row."""

    index: int
    outcome: str = "refused"
    id: int | None = None
    errors: list[RowError] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@transaction.atomic
def take_rows(rows: Sequence[Any], *, actor: Any) -> list[RowOutcome]:
    """Write the good rows. A delivery that is named twice is merged, the later row wins.

    A row is a mapping by our field names or their other spellings, or a `Problem` that was met while reading it.
    """
    gathered, meanings = Gathered(), Meanings()
    outcomes = [RowOutcome(index) for index in range(len(rows))]
    first_of: dict[int, int] = {}
    for index, raw in enumerate(rows):
        row = understood_object(raw, meanings)
        if row.problems:
            outcomes[index].errors = [RowError(name, code, plain(why)) for name, why, code in row.problems]
        elif (repeated := gathered.add(index, row)) is not None:
            first_of[index], outcomes[index].outcome = repeated
    written = upsert_each(gathered.values(), gathered.names())
    for (index, _row), (pk, said) in zip(gathered.rows.values(), written, strict=True):
        outcomes[index].id, outcomes[index].outcome = pk, said
    for index, first in first_of.items():
        outcomes[index].id = outcomes[first].id
    counts = counts_of(outcomes)
    summary = ", ".join(f"{count} {name}" for name, count in counts.items())
    record(actor=actor, verb="shipments.imported", source="api", summary=summary, after=counts)
    return outcomes


def counts_of(outcomes: Sequence[RowOutcome]) -> dict[str, int]:
    counts = {"created": 0, "updated": 0, "unchanged": 0, "refused": 0}
    for outcome in outcomes:
        counts[outcome.outcome] += 1
    return counts


def understood_object(raw: Any, meanings: Meanings | None = None) -> CleanRow:
    """A row that came as JSON, checked; every name in it must mean something."""
    meanings = meanings or Meanings()
    if isinstance(raw, Problem):
        return CleanRow(problems=[raw])
    if not isinstance(raw, dict):
        return CleanRow(problems=[Problem("", "must be an object with the fields of a delivery", "not_object")])
    values, problems = meanings.read(raw)
    problems += [
        Problem(plain(str(name))[:60], "is not a field of a delivery", "unknown_field")
        for name in [*meanings.unused(list(raw)), *_unknown_parts(values)]
        if name not in IMPORT_COLUMNS
    ]
    row = clean(values)
    row.problems[:0] = problems
    return row


def _unknown_parts(values: dict[str, Any]) -> list[str]:
    """Parts of a nested party that mean nothing, as `recipient.phone`."""
    return [
        f"{side}.{part}"
        for side in NESTED.values()
        for part in (values[side] if isinstance(values.get(side), dict) else ())
        if Meanings().field_of(f"{side}_{part}") not in COLUMNS
    ]
