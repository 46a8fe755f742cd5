"""Billed sums of EC2-Other and of what is mistaken for it, by kind. Exact, one currency at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum

from costs.billed import Asked, Billed, billed
from costs.ec2_other.choices import ELSEWHERE, UsageKind
from costs.ec2_other.mapping import EC2, NAMES, Mapping, code_of
from costs.estimate import exact_sum
from costs.models import BilledCost, BilledPeriod, ResourceUse

MONTHS = 13
GIB = Decimal(2**30)
_GB_UNITS = {
    "GB": Decimal(1),
    "Gigabytes": Decimal(1),
    "GigaBytes": Decimal(1),
    "Bytes": 1 / GIB,
    "MB": 1 / Decimal(1024),
}
_BY = ("service", "service_code", "usage_type", "region", "account", "capability", "charge_category", "unit")


@dataclass(frozen=True, slots=True)
class Line:
    """A sum of the bill in one month (or on one day, when asked by day)."""

    at: date
    kind: UsageKind
    usage_type: str
    service: str
    region: str
    account: str
    capability: str
    currency: str
    cost: Decimal
    quantity: Decimal | None
    unit: str
    lines: int
    estimated: bool

    @property
    def inside(self) -> bool:
        """Part of EC2-Other."""
        return self.kind not in ELSEWHERE

    @property
    def gb(self) -> Decimal:
        """The quantity in GB of 2^30 bytes; 0 where the bill does not state one."""
        return self.quantity * _GB_UNITS.get(self.unit, Decimal(1)) if self.quantity else Decimal(0)


def month_after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def month_before(month: date, steps: int = 1) -> date:
    for _step in range(steps):
        month = (month - timedelta(days=1)).replace(day=1)
    return month


def last_day(month: date) -> date:
    return month_after(month) - timedelta(days=1)


def months_with_bills(most: int = 36) -> list[date]:
    """Months that a counted bill tells of, latest first."""
    known = BilledPeriod.objects.filter(counted=True).order_by("-month").values_list("month", flat=True).distinct()
    return [month.replace(day=1) for month in known[:most]]


def month_lines(first: date, end: date, mapping: Mapping) -> list[Line]:
    """Sums by month of all that is EC2's or mistaken for it. Two queries."""
    groups = billed(Asked(first, end, by=("month", *_BY), where={"service": NAMES}))
    return [line for line in (_line(group, mapping) for group in groups) if line is not None]


def day_lines(month: date, mapping: Mapping) -> list[Line]:
    """The same by day of one month."""
    groups = billed(Asked(month, month_after(month), by=("day", *_BY), where={"service": NAMES}))
    return [line for line in (_line(group, mapping) for group in groups) if line is not None]


def _line(group: Billed, mapping: Mapping) -> Line | None:
    at, service, service_code, usage_type, region, account, capability, category, unit = group.values
    code = code_of(service, service_code)
    kind = mapping.kind(code, usage_type, last_day(at.replace(day=1)), category)
    if kind == UsageKind.UNMAPPED and code != EC2:
        return None  # another service's usage that nobody mistakes for EC2-Other
    return Line(
        at, kind, usage_type, service, region, account, capability, group.currency, group.cost, group.sums["quantity"],
        unit, group.lines, group.estimated,
    )  # fmt: skip


def currencies(lines: Iterable[Line]) -> list[str]:
    """The dearest first."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        sums[line.currency] += abs(line.cost)
    return sorted(sums, key=lambda currency: -sums[currency])


def by_kind(lines: Iterable[Line]) -> dict[UsageKind, Decimal]:
    parts: defaultdict[UsageKind, list[Decimal]] = defaultdict(list)
    for line in lines:
        parts[line.kind].append(line.cost)
    return {kind: exact_sum(costs) for kind, costs in parts.items()}


@dataclass(frozen=True, slots=True)
class ResourceSum:
    """What one billed resource, whose users are known, cost of one kind in the month."""

    use: ResourceUse
    kind: UsageKind
    region: str
    account: str
    capability: str
    cost: Decimal


def resource_sums(month: date, lines: Sequence[Line], mapping: Mapping) -> list[ResourceSum]:
    """Sums of the resources of which `ResourceUse` knows who uses them. At most two queries, one when there are none."""
    end = month_after(month)
    known: dict[str, ResourceUse] = {}
    for use in ResourceUse.objects.filter(valid_from__lt=end).order_by("valid_from", "pk"):
        known[use.resource] = use  # the latest row of a resource counts
    if not known or not lines:
        return []
    mine = Q()
    for resource in known:
        mine |= Q(resource=resource) | Q(resource__endswith=f"/{resource}") | Q(resource__endswith=f":{resource}")
    types = {line.usage_type for line in lines}
    found = (
        counted_costs(month, end).filter(mine, usage_type__in=types, service__in=NAMES, currency=lines[0].currency)
        .order_by().values("resource", "service", "service_code", "usage_type", "region", "account", "capability",
                           "charge_category").annotate(cost=Sum("billed_cost"))
    )  # fmt: skip
    sums = []
    for row in found:
        use = known.get(row["resource"]) or known[_end_of(row["resource"])]
        code = code_of(row["service"], row["service_code"])
        kind = mapping.kind(code, row["usage_type"], last_day(month), row["charge_category"])
        if kind not in ELSEWHERE:
            sums.append(ResourceSum(use, kind, row["region"], row["account"], row["capability"], row["cost"]))
    return sums


def _end_of(resource: str) -> str:
    return resource.replace(":", "/").rsplit("/", 1)[-1]


def counted_costs(first: date, end: date) -> QuerySet[BilledCost]:
    """Lines of the bills that count, of half-open days."""
    beside = timedelta(days=190)
    periods = BilledPeriod.objects.filter(counted=True, month__gte=first - beside, month__lt=end + beside)
    ids = list(periods.values_list("pk", flat=True))
    return BilledCost.objects.filter(period__in=ids, day__gte=first, day__lt=end)


def rows_of(month: date, kind: str, mapping: Mapping, day: date | None = None) -> QuerySet[Any]:
    """The lines of the bill behind a kind's sum of a month (or of one day)."""
    first, end = (day, day + timedelta(days=1)) if day else (month, month_after(month))
    lines = month_lines(month, month_after(month), mapping)
    wanted = {(line.service, line.usage_type) for line in lines if not kind or line.kind == kind}
    if not kind:
        wanted = {(line.service, line.usage_type) for line in lines if line.inside}
    costs = counted_costs(first, end).filter(service__in={service for service, _type in wanted})
    costs = costs.filter(usage_type__in={usage_type for _service, usage_type in wanted})
    if kind == UsageKind.TAX:
        return costs.filter(charge_category="Tax")
    return costs.exclude(charge_category="Tax")
