"""The smallest always-on servers that hold a function's work.

A server holds as many calls at once as fit into its memory and its CPUs, filled up to a share of them.

Calls at once at the busiest time: with independent arrivals the number running is Poisson distributed around the load, so all
but one time in a hundred it is at most load + 2.33 x sqrt(load). Work that a queue keeps may wait: then the average load is
enough. Further calls in one process share code and libraries with the first, so they need only a part of its memory.

CPU of a call: the share of a vCPU that its memory gave it, times the share of its time that it computes. A burstable server
computes beyond its baseline on saved credits only, so its average load, too, has to fit into the baseline.

One server that holds everything is preferred to several smaller ones. Not reckoned with: volumes, load balancers, traffic, the
work of running a server; and that one server alone has no spare.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from costs.choices import Meter
from costs.estimate import PriceBook
from costs.models import ServerType
from costs.what_if.assumptions import YES, Assumptions
from costs.what_if.bill import VCPU_MB, arch_factor
from costs.what_if.use import Use
from services_registry.choices import Kind

HOURS_OF_MONTH = 730
NINETY_NINE = 2.33
"""Standard deviations above the mean that 99 % of a normal distribution lie under."""
TINY = 1e-9
"""Keeps rounding of floats from asking for one more."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Servers of one kind for one function's work. `why`: what decides how many."""

    type: ServerType
    count: int
    usd_hour: Decimal
    usd: Decimal
    why: str


@dataclass(frozen=True, slots=True)
class Demand:
    """What the work asks of servers: calls at once, MB of the first and of each further one, CPU in vCPUs."""

    at_once: int
    first_mb: float
    further_mb: float
    cpu_peak: float
    cpu_average: float


def may_wait(use: Use, assumed: Assumptions) -> bool:
    """Whether work may be done later than it comes: by the form, else where a queue or stream keeps it."""
    return assumed.wait == YES or (not assumed.wait and use.function.kind in (Kind.QUEUE, Kind.STREAM))


def demand(use: Use, assumed: Assumptions, architecture: str, scale: float = 1.0) -> Demand:
    """`scale`: times as many calls as now."""
    factor = float(arch_factor(use, architecture, assumed.arm))
    average = use.load * factor * scale
    peak = max(use.peak_load, use.load) * factor * scale
    wanted = average if may_wait(use, assumed) else peak + NINETY_NINE * math.sqrt(peak)
    at_once = max(1, math.ceil(wanted - TINY))
    cpu = float(min(use.memory_mb / VCPU_MB, Decimal(1)) * assumed.cpu)
    used = float(use.used_mb)
    return Demand(at_once, used, used * float(assumed.more), at_once * cpu, average * cpu)


def needed(kind: ServerType, wanted: Demand, assumed: Assumptions) -> tuple[int, str] | None:
    """(servers, what decides it); None when not a single call fits into its memory."""
    fill = float(assumed.fill)
    spare = kind.memory_mb * fill - wanted.first_mb
    if spare < 0:
        return None
    each = 1 + math.floor(spare / wanted.further_mb + TINY) if wanted.further_mb else wanted.at_once
    counts = {
        "memory": wanted.at_once / each,
        "cpu": wanted.cpu_peak / (kind.vcpus * fill),
        "baseline": wanted.cpu_average / (kind.vcpus * float(kind.baseline)),
    }
    why = max(counts, key=lambda name: counts[name])
    count = math.ceil(counts[why] - TINY)
    return (count, why) if count > assumed.least else (assumed.least, "least")


def prices_of(use: Use, book: PriceBook, kinds: Iterable[ServerType], day: date) -> list[tuple[ServerType, Decimal]]:
    """Servers with a known price in the function's region, and the price of an hour."""
    priced = ((kind, server_price(book, use.function.region, kind.name, day)) for kind in kinds)
    return [(kind, usd) for kind, usd in priced if usd is not None]


def server_price(book: PriceBook, region: str, name: str, day: date) -> Decimal | None:
    """USD an hour."""
    return book.usd(region, Meter.SERVER_HOUR, "", day, item=name)


def server_hour_usd(region: str, size: str, day: date) -> Decimal | None:
    """USD an hour (the registry's `ServerPrice`)."""
    return server_price(PriceBook(), region, size, day)


def offer(use: Use, kind: ServerType, usd_hour: Decimal, assumed: Assumptions, scale: float = 1.0) -> Offer | None:
    """So many servers of a kind hold the work; USD a month. None when one call is too large for it."""
    found = needed(kind, demand(use, assumed, kind.architecture, scale), assumed)
    if found is None:
        return None
    count, why = found
    return Offer(kind, count, usd_hour, count * hours(assumed) * usd_hour, why)


def hours(assumed: Assumptions) -> Decimal:
    """Hours a month that a server is on."""
    return Decimal(HOURS_OF_MONTH * assumed.hours) / 24


def cheapest(offers: Iterable[Offer], assumed: Assumptions) -> Offer | None:
    """The cheapest of those where no more servers are needed than asked for; where there is none, the cheapest of all."""
    return min(
        offers, key=lambda found: (found.count > assumed.least, found.usd, found.count, found.type.name), default=None
    )
