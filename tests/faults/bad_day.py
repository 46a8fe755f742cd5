"""Functions that hang, die, answer nonsense or are throttled, all at the same time."""

from __future__ import annotations

from tests.faults.functions import BAD, POISON, THROTTLED, THROTTLED_PLAIN
from tests.faults.runs import Faulty, Item, Run, ok

THROTTLE_S, RETRY_AFTER_S = 30, 3
RUBBISH = ("broken", "text", "null", "number", "strange")


def among(count: int, bad: Item, *places: int) -> list[Item]:
    """Good items with the bad one in these places."""
    return [bad if number in places else item for number, item in enumerate(ok(count))]


def _rubbish() -> list[Item]:
    items = ok(len(RUBBISH) * 4)
    for number, kind in enumerate(RUBBISH):
        items[number * 4 + 1] = {"do": "rubbish", "kind": kind}
    return items


def begin(faulty: Faulty) -> dict[str, Run]:
    for name in (THROTTLED, THROTTLED_PLAIN):
        faulty.fault("throttle", THROTTLE_S, function=name, retry_after=RETRY_AFTER_S)
    start = faulty.start
    return {
        "throttled": start(THROTTLED, ok(200), chunk_size=10),
        "throttled runs": start(THROTTLED_PLAIN, ok(5)),
        "hang": start(BAD, among(24, {"do": "hang"}, 3, 12), chunk_size=8),
        "die": start(BAD, among(24, {"do": "die"}, 3, 12), chunk_size=8),
        "big": start(BAD, among(24, {"do": "big"}, 3, 12), chunk_size=8),
        "rubbish": start(BAD, _rubbish(), chunk_size=4),
        "poison": start(POISON, among(1000, {"do": "poison"}, 7, 8, 250, 777, 999), chunk_size=100),
        "all poison": start(POISON, [{"do": "poison"}] * 200, chunk_size=50),
    }
