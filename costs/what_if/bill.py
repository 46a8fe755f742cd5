"""The bill of the same calls with another memory size or architecture. USD a month, at today's list prices.

Memory: CPU comes in proportion to memory, one vCPU at 1,769 MB (AWS Lambda quotas). The part of a call's time that it
computes takes as much longer as it has less of a vCPU, and gets no shorter beyond one: few functions compute on several. The
part that it waits stays. How much of its time a function computes no log line tells; so a prediction is a range, from "only
waits" to "only computes", with the assumed share between.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from costs.choices import Meter
from costs.estimate import EXACT, MB_MS_PER_GB_S, PriceBook
from costs.what_if.use import Use
from services_registry.pricing import Usage, tmp_mb_ms

VCPU_MB = 1_769
LEAST_MB, MOST_MB = 128, 10_240
SIZES = (128, 192, 256, 384, 512, 768, 1_024, 1_536, 1_769, 2_048, 3_072, 4_096, 6_144, 8_192, 10_240)
SPARE = Decimal("1.1")
"""A memory size must be a tenth above the most that was used."""
ONLY_WAITS, ONLY_COMPUTES = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class Option:
    """One memory size on one architecture. `low` and `high` are what the bill is between; `ms` is one call's average."""

    memory_mb: int
    architecture: str
    usd: Decimal
    low: Decimal
    high: Decimal
    ms: Decimal
    fits: bool
    now: bool = False


def slower(use: Use, memory_mb: int, cpu: Decimal) -> Decimal:
    """How long a call takes against now; `cpu` is the share of its time that it computes."""
    before, after = min(use.memory_mb, Decimal(VCPU_MB)), Decimal(min(memory_mb, VCPU_MB))
    return (1 - cpu) + cpu * before / after


def month_usd(
    use: Use,
    book: PriceBook,
    day: date,
    *,
    mb_ms: Decimal | None = None,
    ms: Decimal | None = None,
    architecture: str = "",
) -> Decimal | None:
    """A month of these calls at the prices of a day; None when one is not known. By default as they were."""
    function = use.function
    billed_ms = Decimal(use.billed_ms) if ms is None else ms
    tmp = tmp_mb_ms(function.ephemeral_mb, 1) * billed_ms
    usage = Usage(
        function.region, architecture or function.architecture, day, use.calls, use.billed_mb_ms if mb_ms is None else mb_ms,
        tmp,
    )  # fmt: skip
    usd = book.cost(usage)
    return None if usd is None else usd * use.per_month


def warm_usd(use: Use, book: PriceBook, day: date) -> Decimal:
    """A month of what is kept warm, where there is any."""
    function = use.function
    environments = sum(entry.get("environments") or 0 for entry in function.provisioned)
    price = book.usd(function.region, Meter.PROVISIONED_GB_SECOND, function.architecture, day)
    with localcontext(EXACT):
        return environments * function.memory_mb * Decimal(730 * 3_600_000) / MB_MS_PER_GB_S * (price or Decimal(0))


def option(
    use: Use, book: PriceBook, day: date, memory_mb: int, architecture: str, *, cpu: Decimal, arm: Decimal
) -> Option | None:
    """None when a price is not known."""
    found: list[Decimal] = []
    milliseconds = Decimal(0)
    for share in (cpu, ONLY_WAITS, ONLY_COMPUTES):
        factor = slower(use, memory_mb, share) * arch_factor(use, architecture, arm)
        ms = use.billed_ms * factor
        usd = month_usd(use, book, day, mb_ms=ms * memory_mb, ms=ms, architecture=architecture)
        if usd is None:
            return None
        found.append(usd)
        milliseconds = milliseconds or ms / use.calls
    return Option(
        memory_mb, architecture, found[0], min(found), max(found), milliseconds, memory_mb >= use.used_mb * SPARE
    )


def arch_factor(use: Use, architecture: str, arm: Decimal) -> Decimal:
    """How long a call takes on an architecture against the one that it has."""
    if architecture == use.function.architecture:
        return Decimal(1)
    return arm if architecture == "arm64" else 1 / arm


def sizes_for(use: Use) -> list[int]:
    """Memory sizes worth a look: four times smaller to four times larger, and the present one."""
    now = use.function.memory_mb
    return sorted({size for size in SIZES if now / 4 <= size <= now * 4} | {now})
