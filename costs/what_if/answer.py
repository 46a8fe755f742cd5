"""Should this be a Lambda? One function's answer: what is cheapest, by how much, and where that turns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date
from decimal import Decimal

from django.utils import timezone

from costs.choices import WayOut
from costs.estimate import PriceBook
from costs.models import ServerType
from costs.what_if.assumptions import Assumptions
from costs.what_if.bill import Option, option, sizes_for, slower, warm_usd
from costs.what_if.servers import Offer, cheapest, offer, prices_of
from costs.what_if.use import LEAST_CALLS, Use, use_of, window
from services_registry.models import Function

ARCHITECTURES = ("x86_64", "arm64")
WORTH_IT = Decimal("0.01")
"""USD a month below which nothing is a gain."""
FURTHEST = 10_000.0
"""Times as many (or as few) calls as now, up to which a break-even is looked for."""
_STEPS = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """USD a month. `usd` is the present configuration with the calls of the days looked at; None: no known price."""

    use: Use
    assumed: Assumptions
    usd: Decimal | None
    warm: Decimal = Decimal(0)
    options: list[Option] = field(default_factory=list)
    memory: Option | None = None
    arm: Option | None = None
    offers: list[Offer] = field(default_factory=list)
    server: Offer | None = None
    break_even: float | None = None
    way: WayOut = WayOut.STAY
    gain: Decimal = Decimal(0)

    @property
    def enough(self) -> bool:
        """Whether there were enough calls to say anything."""
        return self.use.calls >= LEAST_CALLS

    @property
    def usd_per_call(self) -> Decimal | None:
        """On average, without what is kept warm."""
        return None if self.usd is None else (self.usd - self.warm) / (self.use.calls * self.use.per_month)


def answer(use: Use, assumed: Assumptions, book: PriceBook, kinds: list[ServerType], day: date) -> Answer:
    """No queries: everything it needs is given, at the prices of a day."""
    function = use.function
    now = _option(use, book, day, function.memory_mb, function.architecture, assumed)
    if now is None:
        return Answer(use, assumed, None)
    warm = warm_usd(use, book, day)
    usd = now.usd + warm
    options = [
        found
        for size in sizes_for(use)
        for architecture in ARCHITECTURES
        if (found := _option(use, book, day, size, architecture, assumed))
    ]
    fitting = [found for found in options if found.fits and _in_time(use, found, assumed)]
    memory = min((o for o in fitting if o.architecture == function.architecture), key=lambda o: o.usd, default=None)
    other = next((o for o in options if o.memory_mb == function.memory_mb and o.architecture != now.architecture), None)
    priced = [pair for pair in prices_of(use, book, kinds, day) if assumed.server in ("", pair[0].name)]
    held = (offer(use, kind, price, assumed) for kind, price in priced)
    offers = sorted((found for found in held if found), key=lambda found: (found.usd, found.count))
    server = cheapest(offers, assumed)
    way, gain = _best(usd - warm, warm, server, memory, other)
    found_at = None if server is None else _break_even(usd - warm, warm, server, use, assumed)
    return Answer(
        use, assumed, usd, warm, options, memory, other, offers, server, found_at,
        way if use.calls >= LEAST_CALLS else WayOut.STAY, gain if use.calls >= LEAST_CALLS else Decimal(0),
    )  # fmt: skip


def answer_of(function: Function, assumed: Assumptions) -> Answer | None:
    """The same, with everything read; None when it was not called in these days. Four queries."""
    today = timezone.now().astimezone(UTC).date()
    use = use_of(function, *window(assumed.days, today))
    if use is None:
        return None
    return answer(use, assumed, PriceBook(), list(ServerType.objects.filter(offered=True)), today)


def _option(
    use: Use, book: PriceBook, day: date, memory_mb: int, architecture: str, assumed: Assumptions
) -> Option | None:
    return option(use, book, day, memory_mb, architecture, cpu=assumed.cpu, arm=assumed.arm)


def _in_time(use: Use, found: Option, assumed: Assumptions) -> bool:
    """Whether 95 of 100 calls would still end before the time-out."""
    longer = float(slower(use, found.memory_mb, assumed.cpu))
    return use.p95_ms is None or use.p95_ms * longer <= use.function.timeout_s * 1000


def _best(
    calls: Decimal, warm: Decimal, server: Offer | None, memory: Option | None, arm: Option | None
) -> tuple[WayOut, Decimal]:
    gains = [
        (calls + warm - server.usd if server else Decimal(0), WayOut.SERVER),
        (calls - memory.usd if memory else Decimal(0), WayOut.MEMORY),
        (calls - arm.usd if arm and arm.architecture == "arm64" else Decimal(0), WayOut.ARM),
    ]
    gain, way = max(gains, key=lambda pair: pair[0])
    return (way, gain) if gain >= WORTH_IT else (WayOut.STAY, Decimal(0))


def lambda_curve(answered: Answer) -> Callable[[float], float]:
    """USD a month of `scale` times the calls, as it is."""
    calls, warm = float((answered.usd or Decimal(0)) - answered.warm), float(answered.warm)
    return lambda scale: calls * scale + warm


def server_curve(found: Offer, use: Use, assumed: Assumptions) -> Callable[[float], float]:
    """USD a month of as many servers of that kind as `scale` times the calls need: a stair."""

    def usd(scale: float) -> float:
        scaled = offer(use, found.type, found.usd_hour, assumed, scale)
        return float(scaled.usd) if scaled else math.inf

    return usd


def _break_even(calls: Decimal, warm: Decimal, server: Offer, use: Use, assumed: Assumptions) -> float | None:
    """Calls a day from which servers are cheaper for the first time; None within ten thousand times of today's."""
    dear, stair = float(calls), server_curve(server, use, assumed)

    def pays(scale: float) -> bool:
        return dear * scale + float(warm) >= stair(scale)

    below = 1 / FURTHEST
    for step in range(1, _STEPS + 1):
        above = float(FURTHEST ** (2 * step / _STEPS - 1))
        if pays(above):
            for _halving in range(40):
                middle = (below + above) / 2
                below, above = (below, middle) if pays(middle) else (middle, above)
            return above * use.calls_per_day
        below = above
    return None
