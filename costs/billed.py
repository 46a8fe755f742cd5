"""Questions about billed costs: sums by any of the things that tell charges apart, exact, never across currencies.

Only the bill that counts for an account's month is asked (`BilledPeriod.counted`), unless one source or import is named.
The smallest table that knows the answer is read: `BilledMonth` and `BilledResourceMonth` for whole months, `BilledDay` for
days, `BilledCost` where operations, or resources by day or usage type, are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncMonth

from costs.estimate import EXACT
from costs.imports.shapes import SUMS
from costs.models import BilledCost, BilledDay, BilledMonth, BilledPeriod, BilledResourceMonth

PERIOD = {"provider", "billing_account", "source", "detail"}
ROLLED = {
    "account", "service", "service_code", "usage_type", "region", "charge_category", "line_type", "currency",
    "capability", "unit",
}  # fmt: skip
OF_RESOURCES = ROLLED - {"usage_type", "line_type", "unit"} | {"resource"}
SINGLE = ROLLED | {"operation", "resource"}
TIMES = {"day", "month"}
SAMPLE_DOOR = "sample"  # of imports
BESIDE = timedelta(days=190)
DIMENSIONS = PERIOD | SINGLE | TIMES


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted. Days are half-open; None is open. `where` holds a value, or several, by dimension."""

    first: date | None = None
    end: date | None = None
    by: tuple[str, ...] = ()
    where: Mapping[str, str | Iterable[str]] = field(default_factory=dict)
    contains: Mapping[str, str] = field(default_factory=dict)
    cost_import: UUID | None = None  # only what this import told, whether it counts or not
    resources_only: bool = False  # leave out charges that name no resource
    sums: tuple[str, ...] = SUMS  # which are wanted; fewer are quicker
    source: str = ""  # only what this kind of bill tells, whether it counts or not

    def __post_init__(self) -> None:
        unknown = (set(self.by) | set(self.where) | set(self.contains)) - DIMENSIONS
        if unknown:
            raise ValueError(f"unknown dimensions: {', '.join(sorted(unknown))}")

    @property
    def used(self) -> set[str]:
        return set(self.by) | set(self.where) | set(self.contains)


@dataclass(frozen=True, slots=True)
class Billed:
    """One group: its values in the order of `by`, its currency, and exact sums (None: no bill states it)."""

    values: tuple[Any, ...]
    currency: str
    sums: Mapping[str, Decimal | None]
    lines: int
    estimated: bool

    @property
    def cost(self) -> Decimal:
        """BilledCost."""
        return self.sums.get("billed_cost") or Decimal(0)


def billed(asked: Asked) -> list[Billed]:
    """The groups that were asked for, the dearest first. Currencies are always apart. One query."""
    model = table_for(asked)
    names = [_path(name, model) for name in asked.by]
    rows = _filtered(model, asked).order_by()
    if "in_month" in names:
        rows = rows.annotate(in_month=TruncMonth("day"))
    found = rows.values(*dict.fromkeys([*names, "currency"])).annotate(
        **{f"sum_{name}": Sum(name) for name in asked.sums}, all_lines=Sum("lines"), any_estimated=BoolOr("estimated")
    )
    groups = [
        Billed(
            tuple(row[name] for name in names), row["currency"], {name: row[f"sum_{name}"] for name in asked.sums},
            row["all_lines"], row["any_estimated"],
        )
        for row in found
    ]  # fmt: skip
    return sorted(groups, key=lambda group: (-group.cost, [str(value) for value in group.values]))


def has_sample(first: date, last: date) -> bool:
    """Whether a counted bill that tells of these days, both included, is sample data. One query."""
    counted = BilledPeriod.objects.filter(counted=True, month__gte=first.replace(day=1), month__lte=last)
    return counted.filter(cost_import__door=SAMPLE_DOOR).exists()


def table_for(asked: Asked) -> type[BilledCost | BilledDay | BilledMonth | BilledResourceMonth]:
    """The smallest table that knows the answer."""
    whole = "day" not in asked.by and all(day is None or day.day == 1 for day in (asked.first, asked.end))
    wanted = asked.used - PERIOD - TIMES
    if asked.cost_import is not None or "operation" in wanted or (set(asked.where) | set(asked.contains)) & TIMES:
        return BilledCost
    if "resource" in wanted or asked.resources_only:
        named = asked.resources_only or "resource" in asked.where
        return BilledResourceMonth if whole and named and wanted <= OF_RESOURCES else BilledCost
    return BilledMonth if whole else BilledDay


def grand_total(groups: Iterable[Billed]) -> dict[str, Decimal]:
    """BilledCost of groups by currency."""
    found: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for group in groups:
            found[group.currency] = found.get(group.currency, Decimal(0)) + group.cost
    return found


def _path(name: str, model: type[Any]) -> str:
    if name in PERIOD:
        return f"period__{name}"
    return "in_month" if name == "month" and model in (BilledCost, BilledDay) else name


def _filtered(model: type[Any], asked: Asked) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.all()
    if asked.cost_import is not None:
        rows = rows.filter(cost_import=asked.cost_import)
    elif asked.source:
        rows = rows.filter(period__source=asked.source)
    else:
        # The few ids first: the planner then uses the index of days with them.
        counted = list(_counted(asked).values_list("pk", flat=True))
        rows = rows.filter(period__in=counted)
    if asked.resources_only and model is BilledCost:
        rows = rows.exclude(resource="")
    time = "day" if model in (BilledCost, BilledDay) else "month"
    if asked.first is not None:
        rows = rows.filter(**{f"{time}__gte": asked.first})
    if asked.end is not None:
        rows = rows.filter(**{f"{time}__lt": asked.end})
    for name, wanted in asked.where.items():
        lookup = "" if isinstance(wanted, str) else "__in"
        rows = rows.filter(**{_path(name, model) + lookup: wanted})
    for name, text in asked.contains.items():
        rows = rows.filter(**{f"{_path(name, model)}__contains": text})
    return rows


def _counted(asked: Asked) -> QuerySet[BilledPeriod]:
    """Periods that may hold such days: a billing period's charges lie in its month or, rarely, in one beside it."""
    periods = BilledPeriod.objects.filter(counted=True)
    if asked.first is not None:
        periods = periods.filter(month__gte=asked.first - BESIDE)
    if asked.end is not None:
        periods = periods.filter(month__lt=asked.end + BESIDE)
    return periods
