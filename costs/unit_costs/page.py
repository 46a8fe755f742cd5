"""What the page of costs per delivery shows of an address: figures, tables, and the same as rows of a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from core import charts
from core.timerange import TimeRange, time_range
from costs.choices import Step
from costs.estimate import exact_sum
from costs.selectors import days_of
from costs.unit_costs.reading import (
    CARRIER,
    KIND,
    Asked,
    Beside,
    Key,
    Money,
    Work,
    beside_of,
    together,
    work_of,
)
from services_registry import capabilities
from shipments.models import Carrier

MOST_LINES = 5
DAYS_FOR_WEEKS = 100
"""Beyond so many days a step is a week; files and the API give days where they are asked for."""
ANY_LENGTH = 10_000
COLUMNS = (
    "start", "step", "carrier", "kind_of_work", "deliveries", "items", "usd", "eur", "usd_per_delivery", "eur_per_delivery",
    "usd_of_no_single_delivery",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stretch:
    """One day or week as the table shows it. `whole`: batches and what functions cost beside them."""

    start: date
    work: Work
    beside: Beside

    @property
    def whole(self) -> Money:
        return _added(self.work.money, self.work.other, self.beside.outside, self.beside.elsewhere, self.beside.account)


@dataclass(frozen=True, slots=True)
class Group:
    """One carrier or kind of work over the whole range."""

    name: str
    value: str
    work: Work
    share: float | None


def asked_for(query: QueryDict, *, longest: int = DAYS_FOR_WEEKS) -> tuple[Asked, TimeRange, str]:
    """(what is asked for, the range, by what it is split). Steps and splits that make no sense are the usual ones.

    Args:
        longest: so many days are shown day by day where that is asked for; beyond, by weeks.

    Raises:
        Carrier.DoesNotExist: there is no carrier of that code.
    """
    period = time_range(query, default="30d")
    # Days that are written down are meant as they are; in another zone they would touch a UTC day more.
    first, last = (period.first_day, period.last_day) if period.name == "custom" else days_of(period)
    length, step = (last - first).days, query.get("step", "")
    if step not in Step.values or length > longest:
        step = Step.WEEK if length > DAYS_FOR_WEEKS else Step.DAY
    carrier = Carrier.objects.get(code=query["carrier"]) if query.get("carrier") else None
    by = KIND if query.get("by") == KIND else CARRIER
    return Asked.whole(first, last, Step(step), carrier, query.get("kind", "")[:60]), period, by


def kind_names() -> dict[str, str]:
    """Kinds of work by slug."""
    return {kind.slug: str(kind.label) for kind in capabilities.all_capabilities()}


def name_of(key: Key, by: str, carriers: Mapping[int, Carrier]) -> str:
    carrier, kind = key
    if by == CARRIER:
        known = carriers.get(carrier or 0)
        return known.name if known else _("(no carrier)")
    return kind_names().get(kind, kind) or _("(plain runs)")


def code_of(key: Key, carriers: Mapping[int, Carrier]) -> str:
    """The carrier's code; empty where there is none."""
    known = carriers.get(key[0] or 0)
    return known.code if known else ""


def stretches(asked: Asked) -> list[Stretch]:
    """Every day or week with anything in it, the first one first."""
    works, besides = work_of(asked), beside_of(asked)
    starts = sorted({start for start, _key in works} | set(besides))
    return [Stretch(start, works.get((start, (None, "")), Work()), besides.get(start, Beside())) for start in starts]


def groups(found: Mapping[tuple[date, Key], Work], by: str, carriers: Mapping[int, Carrier]) -> list[Group]:
    """The dearest first."""
    sums: defaultdict[Key, list[Work]] = defaultdict(list)
    for (_start, key), work in found.items():
        sums[key].append(work)
    wholes = {key: together(works) for key, works in sums.items()}
    total = sum((work.money.usd for work in wholes.values()), Decimal(0))
    rows = [
        Group(
            name_of(key, by, carriers),
            code_of(key, carriers) if by == CARRIER else key[1],
            work,
            float(work.money.usd / total) if total else None,
        )
        for key, work in wholes.items()
    ]
    return sorted(rows, key=lambda row: (-row.work.money.usd, -row.work.other.usd, row.name))


def per_delivery_figure(
    found: Mapping[tuple[date, Key], Work], by: str, carriers: Mapping[int, Carrier], starts: list[date]
) -> charts.Figure | None:
    """Cost per thousand deliveries of the dearest groups, one line each. A time without deliveries is a gap."""
    spent: defaultdict[Key, Decimal] = defaultdict(Decimal)
    for (_start, key), work in found.items():
        spent[key] += work.money.usd
    ranked = [key for key in sorted(spent, key=lambda key: -spent[key]) if spent[key]][:MOST_LINES]
    lines = {
        name_of(key, by, carriers): [_drawn(found[start, key].per_thousand) if (start, key) in found else None for start in starts]
        for key in ranked
    }  # fmt: skip
    return (
        charts.lines([start.isoformat() for start in starts], lines, y_title=_("USD per 1,000 deliveries"))
        if lines
        else None
    )


def money_figure(rows: list[Stretch], asked: Asked) -> charts.Figure | None:
    """Where the money went, stacked."""
    if not rows:
        return None
    series = {
        _("work on deliveries"): [_usd(row.work.money) for row in rows],
        _("of no single delivery"): [_usd(row.work.other) for row in rows],
    }
    if not asked.filtered:
        series |= {
            _("outside of batches"): [_usd(row.beside.outside) for row in rows],
            _("other functions"): [_usd(row.beside.elsewhere) for row in rows],
        }
        if any(row.beside.account.usd for row in rows):
            series[_("volume and free tier")] = [_usd(row.beside.account) for row in rows]
    return charts.bars([row.start for row in rows], series, y_title="USD")


def rows_of(asked: Asked, by: str) -> Iterator[list[Any]]:
    """The rows of a file: every day or week by carrier or kind of work, as `COLUMNS` name them."""
    carriers = Carrier.objects.in_bulk()
    for (start, key), work in sorted(
        work_of(asked, by).items(), key=lambda pair: (pair[0][0], pair[0][1][0] or 0, pair[0][1][1])
    ):
        each = work.per_delivery
        carrier = code_of(key, carriers) or (asked.carrier.code if asked.carrier else "")
        yield [
            start, asked.step.value, carrier, key[1] or asked.kind, work.deliveries, work.items, plain(work.money.usd),
            plain(work.money.eur), plain(each.usd) if each else None, plain(each.eur) if each else None,
            plain(work.other.usd),
        ]  # fmt: skip


def plain(value: Decimal | None) -> str | None:
    """Every digit, no exponent, no empty decimals."""
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _added(*parts: Money) -> Money:
    known = [part.eur for part in parts]
    return Money(exact_sum(part.usd for part in parts), None if None in known else exact_sum(known))


def _usd(money: Money) -> float:
    """Five significant digits are enough for a drawing."""
    return float(f"{money.usd:.5g}")


def _drawn(money: Money | None) -> float | None:
    return None if money is None else _usd(money)


def besides_together(besides: Iterable[Beside]) -> Beside:
    """What functions cost beside batches over several stretches."""
    whole = Beside()
    for beside in besides:
        whole.outside = _added(whole.outside, beside.outside)
        whole.elsewhere = _added(whole.elsewhere, beside.elsewhere)
        whole.account = _added(whole.account, beside.account)
        whole.unpriced += beside.unpriced
        whole.sample = whole.sample or beside.sample
    return whole


def share_attributed(work: Work, beside: Beside) -> float | None:
    """Which part of everything that functions cost went into work on deliveries."""
    whole = exact_sum(part.usd for part in (work.money, work.other, beside.outside, beside.elsewhere, beside.account))
    return float(work.money.usd / whole) if whole > 0 else None
