"""The numbers of one month's report. Estimated and billed stand beside each other and are never added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from costs.anomalies.choices import AnomalyState
from costs.anomalies.telling import name_of, parts_of
from costs.billed import Asked, Billed, billed, grand_total
from costs.budgets.choices import TONES, Currency, Scope
from costs.budgets.spending import PAST, Spending
from costs.choices import AccountLineKind
from costs.forecast import backtests, month_end
from costs.models import CostAnomaly
from costs.overview import GROUPS, FunctionLine, Overview, Part, dearest, overview
from costs.report.picture import Picture, picture_of
from costs.sums import DAY

MOVERS, ANOMALIES, FUNCTIONS, SERVICES = 5, 6, 25, 25


@dataclass(frozen=True, slots=True)
class Mover:
    """What moved most in money against the month before."""

    name: str
    before: Decimal
    spent: Decimal

    @property
    def delta(self) -> Decimal:
        return self.spent - self.before


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    lines: list[tuple[str, Part, float | None]]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything the report shows."""

    month: date
    shown: Overview
    euros: Decimal | None
    whole_month: bool
    budgets: list[dict[str, Any]]
    movers: list[Mover]
    anomalies: list[dict[str, Any]]
    foretold: Decimal | None
    tables: list[Table]
    functions: list[FunctionLine]
    billed: list[tuple[str, Decimal]]
    bill_estimated: bool
    services: list[Billed]
    picture: Picture | None


def figures_of(month: date, today: date) -> Figures:
    shown = overview(month, today, Currency.USD)
    odd = CostAnomaly.objects.filter(day__range=(month, month_end(month))).exclude(state=AnomalyState.GONE)
    ranked = sorted(odd.select_related("function", "revision"), key=lambda row: -abs(row.delta))
    bill = billed(Asked(month, month_end(month) + DAY, by=("service",)))
    return Figures(
        month=month, shown=shown, euros=overview(month, today, Currency.EUR).total.spent, whole_month=not shown.current,
        budgets=[{"standing": one, "tone": TONES[one.standing], "label": one.standing.label} for one in shown.budgets],
        movers=_movers(shown.groups.get("capability", {})), anomalies=[_told(row) for row in ranked[:ANOMALIES]],
        foretold=_foretold(month, today), tables=[_table(name, shown) for name in GROUPS],
        functions=dearest(month, Currency.USD, limit=FUNCTIONS), billed=sorted(grand_total(bill).items()),
        bill_estimated=any(group.estimated for group in bill), services=bill[:SERVICES],
        picture=picture_of(shown.days, {row.day for row in ranked}),
    )  # fmt: skip


def label_of(key: str) -> str:
    """A group's name; lines of an account have one of their own."""
    if key.startswith("line:"):
        return str(AccountLineKind(key.removeprefix("line:")).label)
    return key or _("(none)")


def _movers(groups: Mapping[str, Part]) -> list[Mover]:
    found = [
        Mover(
            label_of(key),
            part.before or Decimal(0),
            (part.whole if part.whole is not None else part.spent) or Decimal(0),
        )
        for key, part in groups.items()
    ]
    ranked = sorted(found, key=lambda mover: -abs(mover.delta))
    return [mover for mover in ranked[:MOVERS] if mover.delta]


def _told(row: CostAnomaly) -> dict[str, Any]:
    parts = parts_of(row)
    return {
        "row": row,
        "name": name_of(row),
        "cause": parts[0][0] if parts else "",
        "part": parts[0][1] if parts else None,
    }


def _table(name: str, shown: Overview) -> Table:
    titles = {"capability": _("By capability"), "owner": _("By owner"), "account": _("By account")}
    total = shown.total.spent
    ranked = sorted(shown.groups.get(name, {}).items(), key=lambda pair: (-(pair[1].spent or Decimal(0)), pair[0]))
    lines = [
        (label_of(key), part, float(part.spent / total) if part.spent is not None and total else None)
        for key, part in ranked
    ]
    return Table(titles[name], lines)


def _foretold(month: date, today: date) -> Decimal | None:
    """What the forecast in the middle of the month said; only of a month that is over."""
    if month_end(month) >= today:
        return None
    until = month_end(month)
    days = Spending(until, until - PAST).days(Scope.ALL, "", Currency.USD) or {}
    middle = (until + DAY).replace(day=15)
    return next((one.forecast for one in backtests(days, middle, months=1) if one.month == month), None)
