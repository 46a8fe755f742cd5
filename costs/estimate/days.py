"""Every function and every day of a stretch of UTC days, with what it cost: the one source of all sums on pages.

sum of days = sum of functions + lines of accounts, to the last digit, for any stretch of days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Sum
from django.utils import timezone

from costs.estimate.account import AccountLine, FreeTiers, Used, account_lines
from costs.estimate.book import PriceBook
from costs.estimate.past import PastFacts
from costs.estimate.warm import WarmDay, warm_days
from services_registry.choices import Origin
from services_registry.models import Function, FunctionDay
from services_registry.pricing import Usage, tmp_mb_ms

AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class FunctionCost:
    """The calls of one function on one day. `usd` is None where a price is not known."""

    function: Function
    day: date
    usd: Decimal | None
    invocations: int
    sample: bool


@dataclass(slots=True)
class EstimatedDays:
    """Ask for `calls` first: lines of accounts are made of what went by there."""

    first: date
    last: date
    functions: dict[int, Function] = field(default_factory=dict)
    book: PriceBook = field(default_factory=PriceBook)
    now: datetime = field(default_factory=timezone.now)
    _past: PastFacts = field(init=False)
    _used: dict[tuple[str, str, str, date], tuple[int, Decimal]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.functions:
            self.functions = Function.objects.defer("raw", "tags", "layers", "environment_names").in_bulk()
        self._past = PastFacts(self.month)

    @property
    def month(self) -> date:
        """The first day of the month in which the days begin: volumes run from there."""
        return self.first.replace(day=1)

    def calls(self) -> Iterator[FunctionCost]:
        """One for each function, day and origin, by day."""
        columns = ("function_id", "day", "origin", "invocations", "billed_ms", "billed_mb_ms")
        rows = FunctionDay.objects.filter(day__range=(self.first, self.last)).order_by("day").values_list(*columns)
        for function_id, day, origin, invocations, billed_ms, billed_mb_ms in rows.iterator(chunk_size=AT_ONCE):
            function = self.functions[function_id]
            usage = self._usage(function, day, invocations, billed_ms, billed_mb_ms)
            self._note(function.account, usage)
            yield FunctionCost(function, day, self.book.cost(usage), invocations, origin == Origin.SAMPLE)

    def warm(self) -> Iterator[WarmDay]:
        """What is kept warm, by function."""
        return warm_days(self.functions, self.first, self.last, self.book, self._past, self.now)

    def account_lines(self) -> Iterator[AccountLine]:
        """What volume takes off; complete once `calls` was read to its end."""
        self._note_month_before()
        used = (Used(*place, *numbers) for place, numbers in self._used.items())
        return account_lines(used, self.book, FreeTiers(), self.first)

    def _usage(self, function: Function, day: date, requests: int, billed_ms: int, billed_mb_ms: Decimal) -> Usage:
        architecture = self._past.on(function, "architecture", day)
        tmp = tmp_mb_ms(self._past.on(function, "ephemeral_mb", day), billed_ms)
        return Usage(function.region, architecture, day, requests, billed_mb_ms, tmp)

    def _note(self, account: str, usage: Usage) -> None:
        place = account, usage.region, usage.architecture, usage.day
        requests, mb_ms = self._used.get(place, (0, Decimal(0)))
        self._used[place] = requests + usage.requests, mb_ms + usage.billed_mb_ms

    def _note_month_before(self) -> None:
        """The days of the same month before the first one, as if they were one: only how far volumes came matters."""
        if self.first == self.month:
            return
        day = self.first - timedelta(days=1)
        rows = FunctionDay.objects.filter(day__range=(self.month, day)).order_by().values_list("function_id")
        for function_id, requests, mb_ms in rows.annotate(Sum("invocations"), Sum("billed_mb_ms")):
            function = self.functions[function_id]
            self._note(function.account, self._usage(function, day, requests, 0, mb_ms))
