"""Usage of whole stretches of days, for tests of what is added up over them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from services_registry.models import Function, FunctionDay

GB_S = Decimal("0.0000166667")
REQUEST = Decimal("0.0000002")
MB_MS = 1_024_000  # one GB-second


def usage(
    function: Function, first: date, days: int, shape: Callable[[date], int] = lambda day: 100, *, gb_s: int = 1000,
    **fields: Any,
) -> None:  # fmt: skip
    """So many calls a day by `shape`; 100 of them come to `gb_s` GB-seconds."""
    rows = []
    for step in range(days):
        day = first + timedelta(days=step)
        calls = shape(day)
        mb_ms = Decimal(MB_MS) * gb_s * calls / 100
        given = {"invocations": calls, "billed_ms": int(mb_ms / function.memory_mb), "billed_mb_ms": mb_ms} | fields
        rows.append(FunctionDay(function=function, day=day, **given))
    FunctionDay.objects.bulk_create(rows)


def cost(calls: int, gb_s: Decimal | int) -> Decimal:
    return calls * REQUEST + Decimal(gb_s) * GB_S
