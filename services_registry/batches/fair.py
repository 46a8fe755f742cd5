"""Who gets the free places: pure arithmetic, no database.

People come first (one person's fifty batches count as one), then that person's batches; in both, whoever holds the
fewest places for their weight is next, and the older batch wins a draw. So 5 items beside 50,000 get the next place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

FunctionKey = tuple[str, str]
"""(name, region) of a function."""


@dataclass(frozen=True, slots=True)
class Open:
    """A batch that is not over. `active` invocations are under way; `ready` says whether it wants more."""

    batch_id: UUID
    function: FunctionKey
    person: str
    weight: int
    limit: int
    active: int
    ready: bool


def allocate(batches: Sequence[Open], limits: Mapping[FunctionKey, int], room: int) -> Counter[UUID]:
    """How many more invocations each batch may begin, at most `room` in all.

    Args:
        batches: oldest first, also those that want nothing: their invocations hold places, too.
        limits: the most invocations at once of each function.
    """
    held = Counter({batch.batch_id: batch.active for batch in batches})
    of_person: Counter[str] = Counter()
    of_function: Counter[FunctionKey] = Counter()
    for batch in batches:
        of_person[batch.person] += batch.active
        of_function[batch.function] += batch.active
    waiting = [batch for batch in batches if batch.ready]
    weight_of: dict[str, int] = {}
    for batch in waiting:
        weight_of[batch.person] = max(weight_of.get(batch.person, 1), batch.weight)
    given: Counter[UUID] = Counter()
    while room > 0:
        waiting = [
            batch
            for batch in waiting
            if held[batch.batch_id] < batch.limit and of_function[batch.function] < limits.get(batch.function, 0)
        ]
        if not waiting:
            break
        chosen = min(
            waiting,
            key=lambda one: (of_person[one.person] / weight_of[one.person], held[one.batch_id] / one.weight),
        )
        for counter, key in ((held, chosen.batch_id), (of_person, chosen.person), (of_function, chosen.function)):
            counter[key] += 1  # type: ignore[index]  # three counters, each with its own kind of key
        given[chosen.batch_id] += 1
        room -= 1
    return given
