"""What invocations of batches cost: by function, region and day, as the function was configured then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from costs.estimate import PriceBook
from costs.estimate.past import PastFacts
from services_registry.models import Function
from services_registry.pricing import Usage, tmp_mb_ms

UNKNOWN_ARCHITECTURE = "x86_64"
"""Of a function that the registry does not know; the dearer one."""


class ChunkPrices:
    """Three queries when made. Days before `since` are priced as if they were it."""

    def __init__(self, names: Iterable[str], since: date) -> None:
        rows = Function.objects.filter(name__in=set(names)).order_by("-gone", "-pk")
        wanted = rows.only("name", "region", "architecture", "memory_mb", "ephemeral_mb", "provisioned")
        self._functions = {(row.name, row.region): row for row in wanted}
        self.book = PriceBook()
        self.past = PastFacts(since)

    def function(self, name: str, region: str) -> Function | None:
        """The registered one; of several accounts the one that was there first."""
        return self._functions.get((name, region))

    def usage(
        self, name: str, region: str, day: date, *, billed_ms: int, requests: int, memory_mb: int | None
    ) -> Usage | None:
        """None when nobody knows how much memory it had."""
        function = self.function(name, region)
        memory = memory_mb or (self.past.on(function, "memory_mb", day) if function else None)
        if memory is None:
            return None
        architecture = self.past.on(function, "architecture", day) if function else UNKNOWN_ARCHITECTURE
        tmp = tmp_mb_ms(self.past.on(function, "ephemeral_mb", day) if function else 0, billed_ms)
        return Usage(region, architecture, day, requests, Decimal(billed_ms) * memory, tmp)

    def cost(
        self, name: str, region: str, day: date, *, billed_ms: int, requests: int, memory_mb: int | None
    ) -> Decimal | None:
        """USD, exact; None when memory or price are not known."""
        usage = self.usage(name, region, day, billed_ms=billed_ms, requests=requests, memory_mb=memory_mb)
        return None if usage is None else self.book.cost(usage)
