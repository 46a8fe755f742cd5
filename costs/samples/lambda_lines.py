"""Lambda's lines of the sample bill, made from the sample history: what was seen, and a little that was not.

Days of the history give a line for each function, day and usage type; the time before it one line for each month. The account
has a private price, a Savings Plan for arm64 and the free tier; the drainers of queues did more than telemetry saw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from costs.choices import Meter
from costs.estimate import EXACT, MB_MS_PER_GB_S, PriceBook
from costs.models.estimates import OFFERED_GB_SECONDS, OFFERED_REQUESTS
from costs.samples.lines import Row
from services_registry.models import Function, FunctionDay

SERVICE = "AWS Lambda", "AWSLambda"
_CENT = Decimal("1E-10")  # the finest amount on a line
UNSEEN = "queue-drainer"


@dataclass(slots=True)
class Discounts:
    """What this account pays instead of list prices, and what is left of the free tier of the month at hand."""

    private: Decimal = Decimal("0.95")
    plan: Decimal = Decimal("0.83")
    free: defaultdict[date, dict[str, Decimal]] = field(
        default_factory=lambda: defaultdict(
            lambda: {"Request": Decimal(OFFERED_REQUESTS), "Lambda-GB-Second": OFFERED_GB_SECONDS}
        )
    )


def lambda_lines(
    functions: list[Function], first: date, until: date, prefix: str, discounts: Discounts
) -> Iterator[Row]:
    """In order of time: the free tier is used up by who comes first."""
    book = PriceBook()
    by_day, first_seen = _history(functions, first, until)
    month = first
    while month < until:
        end = min((month + timedelta(days=32)).replace(day=1), until)
        known = max(month, min(first_seen, end))
        if known > month:
            for function in functions:
                calls, used = _typical(by_day, function, (known - month).days)
                yield from _lines(function, month, known, calls, used, prefix, book, discounts)
        for n in range((end - known).days):
            day = known + timedelta(days=n)
            for function in functions:
                calls, used = by_day.get(day, {}).get(function.pk, (0, Decimal(0)))
                yield from _lines(function, day, day + timedelta(days=1), calls, used, prefix, book, discounts)
            yield _plan_fee(day)
        month = (month + timedelta(days=32)).replace(day=1)


def _history(
    functions: list[Function], first: date, until: date
) -> tuple[dict[date, dict[int, tuple[int, Decimal]]], date]:
    found: defaultdict[date, dict[int, tuple[int, Decimal]]] = defaultdict(dict)
    rows = FunctionDay.objects.filter(function__in=functions, day__gte=first, day__lt=until).order_by("day")
    for function_id, day, calls, used in rows.values_list("function_id", "day", "invocations", "billed_mb_ms"):
        before = found[day].get(function_id, (0, Decimal(0)))
        found[day][function_id] = before[0] + calls, before[1] + used
    return dict(found), min(found, default=until)


def _typical(by_day: dict[date, dict[int, tuple[int, Decimal]]], function: Function, days: int) -> tuple[int, Decimal]:
    """What the time before the history is made of: the first fortnight of the history, a fifth smaller."""
    seen = [by_day[day].get(function.pk, (0, Decimal(0))) for day in sorted(by_day)[:14]]
    if not seen:
        return 0, Decimal(0)
    calls, used = sum(calls for calls, _used in seen), sum((used for _calls, used in seen), Decimal(0))
    return calls * days * 4 // (5 * len(seen)), used * days * 4 // (5 * len(seen))


def _lines(
    function: Function, day: date, until: date, calls: int, used: Decimal, prefix: str, book: PriceBook, discounts: Discounts
) -> Iterator[Row]:  # fmt: skip
    if not calls:
        return
    if UNSEEN in function.name:
        calls, used = calls * 118 // 100, used * 118 // 100
    arm = "-ARM" if function.architecture == "arm64" else ""
    with localcontext(EXACT):
        gb_s = used / MB_MS_PER_GB_S
    for name, quantity, unit, meter in (
        ("Lambda-GB-Second", gb_s, "Lambda-GB-Second", Meter.GB_SECOND),
        ("Request", Decimal(calls), "Requests", Meter.REQUEST),
    ):
        usd = book.usd(function.region, meter, function.architecture, day) or Decimal(0)
        left = discounts.free[day.replace(day=1)]
        row = Row(day, until, *SERVICE, f"{prefix}{name}{arm}", function.arn, quantity, unit, Decimal(0))
        if left[name] >= quantity:
            left[name] -= quantity
            yield row
        else:
            yield _priced(row, quantity * usd, bool(arm), discounts)


def _priced(row: Row, listed: Decimal, plan: bool, discounts: Discounts) -> Row:
    listed = listed.quantize(_CENT, ROUND_HALF_EVEN)
    contracted = (listed * discounts.private).quantize(_CENT, ROUND_HALF_EVEN)
    covered = plan and "Second" in row.usage_type
    effective = (listed * discounts.plan).quantize(_CENT, ROUND_HALF_EVEN) if covered else contracted
    return Row(
        row.day, row.until, row.service, row.code, row.usage_type, row.resource, row.quantity, row.unit, listed,
        contracted, Decimal(0) if covered else contracted, effective,
    )  # fmt: skip


def _plan_fee(day: date) -> Row:
    fee = Decimal("19.20")
    name = "Savings Plans for AWS Compute usage", "ComputeSavingsPlans", "ComputeSP:1yrNoUpfront"
    return Row(
        day, day + timedelta(days=1), *name, "", Decimal(24), "Hours", fee, category="Purchase", effective=Decimal(0)
    )
