"""What the EC2-Other page, its CSV and the API show: one month explained, beside the months before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from costs.billed import has_sample
from costs.ec2_other import reading
from costs.ec2_other.assumptions import Assumptions, AssumptionsForm, read
from costs.ec2_other.choices import ELSEWHERE, Basis, UsageKind
from costs.ec2_other.kinds import WORDS
from costs.ec2_other.mapping import Mapping as UsageTypes
from costs.ec2_other.network import Use, functions_in_vpc, uses_of
from costs.ec2_other.reading import Line, by_kind, month_after, month_before
from costs.ec2_other.split import Part, Split, estimated_bytes, split
from costs.ec2_other.ways_out import Way, regions_of, ways_out
from costs.estimate import EXACT, PriceBook, exact_sum
from services_registry.models import Function

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind in the month; measured + allocated + not attributed = billed."""

    kind: UsageKind
    words: _StrOrPromise
    billed: Decimal
    before: Decimal
    measured: Decimal
    allocated: Decimal
    rest: Decimal

    @property
    def change(self) -> Decimal:
        with localcontext(EXACT):
            return self.billed - self.before


@dataclass(slots=True)
class FunctionRow:
    function: Function
    use: Use
    bytes: int
    measured: Decimal = Decimal(0)
    allocated: Decimal = Decimal(0)
    kinds: dict[UsageKind, Decimal] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        with localcontext(EXACT):
            return self.measured + self.allocated


@dataclass(frozen=True, slots=True)
class UnmappedRow:
    usage_type: str
    service: str
    cost: Decimal


@dataclass(slots=True)
class Explained:
    """One month of EC2-Other in one currency."""

    month: date
    months: list[date]
    currency: str
    currencies: list[str]
    lines: list[Line]
    trend: list[Line]
    assumed: Assumptions
    form: AssumptionsForm
    split: Split
    uses: list[Use]
    ways: list[Way]
    sample: bool
    unfinished: bool
    mapping: UsageTypes

    @property
    def inside(self) -> list[Line]:
        return [line for line in self.lines if line.inside]

    @property
    def billed(self) -> Decimal:
        return exact_sum(line.cost for line in self.inside)

    @property
    def before(self) -> Decimal:
        return exact_sum(line.cost for line in self.trend if line.inside and line.at == month_before(self.month))

    def part(self, basis: Basis) -> Decimal:
        return self.split.total(basis=basis)

    def kinds(self) -> list[KindRow]:
        """What EC2-Other is made of, the dearest first."""
        now = by_kind(self.inside)
        past = by_kind(line for line in self.trend if line.inside and line.at == month_before(self.month))
        rows = []
        for kind in {*now, *past}:
            bases = [
                self.split.total(basis=basis, kind=kind)
                for basis in (Basis.MEASURED, Basis.ALLOCATED, Basis.NOT_ATTRIBUTED)
            ]
            zero = Decimal(0)
            rows.append(KindRow(kind, WORDS[kind], now.get(kind, zero), past.get(kind, zero), *bases))
        return sorted(rows, key=lambda row: (-row.billed, row.kind))

    def elsewhere(self) -> list[KindRow]:
        """What people look for in EC2-Other, where it is, and what it cost."""
        now = by_kind(line for line in self.lines if not line.inside)
        zero = Decimal(0)
        rows = [
            KindRow(kind, WORDS[kind], now.get(kind, zero), zero, zero, zero, zero)
            for kind in ELSEWHERE if kind != UsageKind.TAX or kind in now
        ]  # fmt: skip
        return sorted(rows, key=lambda row: (-row.billed, row.kind))

    def functions(self) -> list[FunctionRow]:
        """The dearest first; all functions in a VPC, also those without a part."""
        rows = {
            use.function.pk: FunctionRow(use.function, use, estimated_bytes(use, self.assumed)) for use in self.uses
        }
        with localcontext(EXACT):
            for part in self.split.parts:
                if part.function is not None:
                    _pour(rows[part.function.pk], part)
        return sorted(rows.values(), key=lambda row: (-row.total, row.function.name))

    def unmapped(self) -> list[UnmappedRow]:
        sums: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(list)
        for line in self.inside:
            if line.kind == UsageKind.UNMAPPED:
                sums[line.usage_type, line.service].append(line.cost)
        rows = [UnmappedRow(usage_type, service, exact_sum(parts)) for (usage_type, service), parts in sums.items()]
        return sorted(rows, key=lambda row: -abs(row.cost))

    def rest(self) -> list[tuple[str, Decimal]]:
        """Why some of it cannot be attributed, with amounts; they add up to all that cannot."""
        sums: defaultdict[str, list[Decimal]] = defaultdict(list)
        for part in self.split.parts:
            if part.basis == Basis.NOT_ATTRIBUTED:
                sums[part.why].append(part.amount)
        words = {
            "not_network": _("not traffic: disks, copies, addresses, credits"),
            "others": _("traffic of servers and containers, as assumed"),
            "no_function": _("traffic where the registry knows no function in a VPC"),
            "no_calls": _("traffic of functions of which no call is known in this month"),
        }
        return sorted(((words[why], exact_sum(parts)) for why, parts in sums.items()), key=lambda row: -row[1])


def _pour(row: FunctionRow, part: Part) -> None:
    if part.basis == Basis.MEASURED:
        row.measured += part.amount
    else:
        row.allocated += part.amount
    row.kinds[part.kind] = row.kinds.get(part.kind, Decimal(0)) + part.amount


def explain(query: QueryDict | Mapping[str, str]) -> Explained | None:
    """The month that an address asks for, usually the last whole one. None: no bill was ever taken in."""
    months = reading.months_with_bills()
    if not months:
        return None
    month = _month(query.get("month", ""), months)
    mapping = UsageTypes()
    first, end = month_before(month, reading.MONTHS - 1), month_after(month)
    trend = reading.month_lines(first, end, mapping)
    known = reading.currencies(line for line in trend if line.inside) or ["USD"]
    currency = query.get("currency", "") if query.get("currency") in known else known[0]
    trend = [line for line in trend if line.currency == currency]
    lines = [line for line in trend if line.at == month]
    assumed, form = read(query if isinstance(query, QueryDict) else _as_query(query))
    inside = [line for line in lines if line.inside]
    uses = uses_of(functions_in_vpc(), month)
    parts = split(inside, reading.resource_sums(month, inside, mapping), uses, assumed)
    today = timezone.now().date()
    day = min(reading.last_day(month), today)
    ways = ways_out(regions_of(inside, uses, assumed), month, assumed, PriceBook(), day) if currency == "USD" else []
    return Explained(
        month, months, currency, known, lines, trend, assumed, form, parts, uses, ways,
        sample=has_sample(first, reading.last_day(month)), unfinished=month_after(month) > today or any(x.estimated for x in lines),
        mapping=mapping,
    )  # fmt: skip


def _as_query(values: Mapping[str, str]) -> QueryDict:
    query = QueryDict(mutable=True)
    query.update(dict(values))
    return query


def _month(text: str, months: Sequence[date]) -> date:
    """The month of an address if a bill tells of it, else the latest that is over, else the latest."""
    for month in months:
        if f"{month:%Y-%m}" == text:
            return month
    this = timezone.now().date().replace(day=1)
    return next((month for month in months if month < this), months[0])


def series(lines: Iterable[Line], most: int = 5) -> tuple[list[date], dict[UsageKind | None, list[Decimal | None]]]:
    """(times, {kind: amounts}); the dearest kinds, the rest together under None. Adds up to the lines inside."""
    cells: defaultdict[UsageKind, defaultdict[date, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        if line.inside:
            cells[line.kind][line.at].append(line.cost)
    times = sorted({at for columns in cells.values() for at in columns})
    sums = {kind: {at: exact_sum(parts) for at, parts in columns.items()} for kind, columns in cells.items()}
    ranked = sorted(sums, key=lambda kind: -exact_sum(sums[kind].values()))
    shown: dict[UsageKind | None, list[Decimal | None]] = {
        kind: [sums[kind].get(at) for at in times] for kind in ranked[:most]
    }
    if ranked[most:]:
        shown[None] = [exact_sum(sums[kind].get(at) for kind in ranked[most:]) for at in times]
    return times, shown
