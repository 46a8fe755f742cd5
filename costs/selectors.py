"""Questions about estimated money: over time, by function, of a batch, of a shipment. Exact Decimals, never rounded.

Amounts are USD; EUR beside them by the rate that held on the day. `None` means that no price (or rate) is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from decimal import Decimal, localcontext
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db.models import Count, F, Q

from core.timerange import TimeRange
from costs.batch_costs import bill_of
from costs.choices import AccountLineKind
from costs.chunk_prices import ChunkPrices
from costs.estimate import EXACT, exact_sum
from costs.estimate.days import EstimatedDays
from costs.models import ExchangeRate
from services_registry.models import Batch, BatchItem, Chunk, Function
from shipments.models import CarrierMessage, RemoteFile

# Capabilities whose item keys are ids of shipments, of carriers' messages, of files on carriers' servers, of connections.
OF_SHIPMENTS = ("render_pdf", "fetch_documents")
OF_MESSAGES = ("classify_messages",)
OF_FILES = ("fetch_files", "clean_up_files")
OF_CONNECTIONS = ("sweep_connections",)
_SHARE_UNIT = Decimal(1).scaleb(-30)  # finer than the last digit of any cost (25 decimals), so chunks divide exactly


@dataclass(slots=True)
class Amount:
    """USD, the same in EUR where rates are known, and what it is made of."""

    usd: Decimal = Decimal(0)
    eur: Decimal | None = Decimal(0)
    sample: bool = False
    unpriced: int = 0  # invocations without a known price; they are not in the amounts

    def add(self, usd: Decimal | None, rate: Decimal | None, *, sample: bool = False, invocations: int = 0) -> None:
        if usd is None:
            self.unpriced += invocations
            return
        with localcontext(EXACT):
            self.usd += usd
            self.eur = None if rate is None or self.eur is None else self.eur + usd * rate
        self.sample = self.sample or sample


@dataclass(slots=True)
class CostReport:
    """The estimated cost of some UTC days, whole and in parts. Every split adds up to `total` to the last digit."""

    first: date
    last: date
    total: Amount = field(default_factory=Amount)
    days: defaultdict[date, Amount] = field(default_factory=lambda: defaultdict(Amount))
    functions: defaultdict[Function, Amount] = field(default_factory=lambda: defaultdict(Amount))
    lines: defaultdict[tuple[str, AccountLineKind], Amount] = field(default_factory=lambda: defaultdict(Amount))
    by_day: defaultdict[str, dict[date, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    warm: Decimal = Decimal(0)  # of the total: environments that are kept warm
    unpriced_warm: int = 0  # days of functions whose warm environments have no known price; not in the amounts

    def grouped(self, name: str) -> dict[str, Amount]:
        """Amounts by a text field of the function ("owner", "capability"); "" for functions without one.

        With `lines` they add up to the total. By "account" the lines are in the accounts.
        """
        groups: defaultdict[str, Amount] = defaultdict(Amount)
        for function, amount in self.functions.items():
            _pour(groups[getattr(function, name)], amount)
        if name == "account":
            for (account, _kind), amount in self.lines.items():
                _pour(groups[account], amount)
        return dict(groups)


class RateBook:
    """EUR for a USD by day. One query when made."""

    def __init__(self, currency: str = "EUR") -> None:
        self.rates = list(ExchangeRate.objects.filter(currency=currency).order_by("-valid_from"))

    def on(self, day: date) -> ExchangeRate | None:
        return next((rate for rate in self.rates if rate.valid_from <= day), None)

    def per_usd(self, day: date) -> Decimal | None:
        rate = self.on(day)
        return None if rate is None else rate.per_usd


def days_of(period: TimeRange) -> tuple[date, date]:
    """The first and the last UTC day that a range touches: costs are summed by whole days."""
    return period.start.astimezone(UTC).date(), (period.end - timedelta(microseconds=1)).astimezone(UTC).date()


def total_cost(period: TimeRange) -> Decimal:
    """Estimated USD of all functions in the UTC days of a range, exact."""
    return cost_report(*days_of(period)).total.usd


def cost_report(first: date, last: date) -> CostReport:
    """Everything the cost pages show of the UTC days `first` to `last`, both included. Seven queries.

    sum of `days` = sum of `functions` + sum of `lines` = `total`.
    """
    report, estimated, rates = CostReport(first, last), EstimatedDays(first, last), RateBook()
    per_usd = cache(rates.per_usd)
    for call in estimated.calls():
        for amount in (report.total, report.days[call.day], report.functions[call.function]):
            amount.add(call.usd, per_usd(call.day), sample=call.sample, invocations=call.invocations)
        _add_by_day(report, call.function.name, call.day, call.usd)
    for warm in estimated.warm():
        report.unpriced_warm += warm.usd is None
        report.warm = exact_sum((report.warm, warm.usd))
        for amount in (report.total, report.days[warm.day], report.functions[warm.function]):
            amount.add(warm.usd, per_usd(warm.day))
        _add_by_day(report, warm.function.name, warm.day, warm.usd)
    for line in estimated.account_lines():
        for amount in (report.total, report.days[line.day], report.lines[line.account, line.kind]):
            amount.add(line.usd, per_usd(line.day))
        _add_by_day(report, str(line.kind.label), line.day, line.usd)
    return report


def _add_by_day(report: CostReport, name: str, day: date, usd: Decimal | None) -> None:
    if usd is not None:
        known = report.by_day[name]
        known[day] = exact_sum((known.get(day), usd))


def series_of(report: CostReport, most: int = 5) -> tuple[list[date], dict[str, list[Decimal | None]]]:
    """(days, {name: USD by day}): the `most` dearest functions and "other". Adds up to the days' sums.

    Beyond 100 days a step is a week and `days` are its Mondays, so that the figure stays small.
    """
    step = _monday if (report.last - report.first).days > 100 else _same
    days = sorted({step(day) for day in report.days})
    ranked = sorted(report.by_day, key=lambda name: -exact_sum(report.by_day[name].values()))
    named = {name: _by_step(report.by_day[name].items(), step) for name in ranked[:most]}
    series: dict[str, list[Decimal | None]] = {name: [sums.get(day) for day in days] for name, sums in named.items()}
    if ranked[most:]:
        rest = _by_step(((day, usd) for name in ranked[most:] for day, usd in report.by_day[name].items()), step)
        series["other"] = [rest.get(day) for day in days]
    return days, series


def batch_cost(batch: Batch) -> Decimal:
    """Estimated USD of one batch: the exact sum over its chunks. Chunks without billed time add nothing."""
    return bill_of(batch).usd


def chunk_costs(chunks: Iterable[Chunk]) -> dict[UUID, Decimal]:
    """Estimated USD of chunks: billed ms x MB, and a request for each of the invocations in it (a chunk that was sent
    again was billed again). Chunks of which that is not known are left out.
    """
    known = [(chunk, _day_of(chunk)) for chunk in chunks if chunk.billed_ms is not None]
    if not known:
        return {}
    prices = ChunkPrices((chunk.batch.function_name for chunk, _day in known), min(day for _chunk, day in known))
    costs = {}
    for chunk, day in known:
        facts = {"billed_ms": chunk.billed_ms or 0, "requests": chunk.billed_invocations or 1}
        region = chunk.batch.region or settings.AWS_REGION
        usd = prices.cost(chunk.batch.function_name, region, day, memory_mb=chunk.memory_mb, **facts)
        if usd is not None:
            costs[chunk.pk] = usd
    return costs


def _day_of(chunk: Chunk) -> date:
    """The UTC day whose price holds for a chunk."""
    return (chunk.finished or chunk.started or chunk.batch.created).astimezone(UTC).date()


def share_of(cost: Decimal, parts: int, place: int) -> Decimal:
    """The share of part `place` (0-based) of `parts` equal ones; all shares add up to `cost` to the last digit.

    What does not divide evenly (multiples of 1e-30 USD) goes to the first parts.
    """
    with localcontext(EXACT):
        each, rest = divmod(int(cost / _SHARE_UNIT), parts)
        return (each + (place < rest)) * _SHARE_UNIT


@dataclass(frozen=True, slots=True)
class ShipmentCost:
    """One piece of work on a shipment: its share of the invocation it was in."""

    capability: str
    batch_id: UUID
    batch_title: str
    usd: Decimal
    items: int  # in the same invocation


def shipment_cost(shipment_id: int) -> Decimal:
    """Estimated USD of all work on a shipment, exact."""
    return exact_sum(part.usd for part in shipment_costs(shipment_id))


def shipment_costs(shipment_id: int) -> list[ShipmentCost]:
    """The parts of `shipment_cost`, latest first. Messages and carriers' files of the shipment count as work on it."""
    mine = Q(batch__capability__in=OF_SHIPMENTS, key=str(shipment_id))
    for capabilities, model in ((OF_MESSAGES, CarrierMessage), (OF_FILES, RemoteFile)):
        keys = model._default_manager.filter(shipment_id=shipment_id).values_list("pk", flat=True)
        mine |= Q(batch__capability__in=capabilities, key__in=[str(pk) for pk in keys])
    items = list(
        BatchItem.objects.filter(mine, chunk__billed_ms__isnull=False).select_related("chunk__batch").order_by("-pk")
    )
    costs = item_costs(items)
    return [costs[item.pk] for item in items if item.pk in costs]


def item_costs(items: Sequence[BatchItem]) -> dict[int, ShipmentCost]:
    """What items cost, by id: their shares of the invocations they were in. Items have their chunk and batch loaded."""
    chunks = {item.chunk_id: item.chunk for item in items if item.chunk is not None}
    costs, sizes, places = chunk_costs(chunks.values()), _sizes(chunks), _places(items)
    found = {}
    for item in items:
        if item.chunk is not None and item.chunk_id in costs:
            batch, size = item.chunk.batch, sizes[item.chunk_id]
            share = share_of(costs[item.chunk_id], size, places[item.pk])
            found[item.pk] = ShipmentCost(batch.capability, batch.pk, batch.title, share, size)
    return found


def _sizes(chunks: Mapping[UUID | None, Chunk]) -> dict[UUID | None, int]:
    counted = BatchItem.objects.filter(chunk__in=list(chunks)).order_by().values("chunk").annotate(n=Count("pk"))
    return {row["chunk"]: row["n"] for row in counted}


def _places(items: Iterable[BatchItem]) -> dict[int, int]:
    """How many items of the same invocation stand before each of these."""
    before = BatchItem.objects.filter(pk__in=[item.pk for item in items]).order_by().values("pk")
    counted = before.annotate(place=Count("chunk__items", filter=Q(chunk__items__position__lt=F("position"))))
    return {row["pk"]: row["place"] for row in counted}


def _pour(into: Amount, part: Amount) -> None:
    with localcontext(EXACT):
        into.usd += part.usd
        into.eur = None if into.eur is None or part.eur is None else into.eur + part.eur
    into.sample = into.sample or part.sample
    into.unpriced += part.unpriced


def _by_step(values: Iterable[tuple[date, Decimal]], step: Callable[[date], date]) -> dict[date, Decimal]:
    sums: defaultdict[date, list[Decimal]] = defaultdict(list)
    for day, usd in values:
        sums[step(day)].append(usd)
    return {day: exact_sum(parts) for day, parts in sums.items()}


def _same(day: date) -> date:
    return day


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
