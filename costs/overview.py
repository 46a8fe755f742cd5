"""What the overview shows of one month: spent, forecast, budget, the month before; whole and in parts that add up to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Count, Max, Q, Sum
from django.utils.translation import gettext as _

from core import charts
from costs.budgets.choices import Basis, Currency, Scope
from costs.budgets.spending import BudgetStanding, Spending
from costs.budgets.standing import standings
from costs.estimate import EXACT
from costs.forecast import Backtest, Forecast, backtests, forecast, month_end
from costs.models import Budget, CostDay, CostFunctionMonth
from costs.sums import month_before, month_of, same_day_before

DAY = timedelta(days=1)
GROUPS = ("capability", "owner", "account")
COURSE = (charts.PALETTE[0], charts.OTHER, charts.PALETTE[0], charts.PALETTE[4], charts.PALETTE[4])
DASHES = ("solid", "solid", "dash", "dot", "dot")
"""Of this month, the month before, the forecast and its bounds."""
MOST_NAMES = 4
"""Of capabilities drawn one by one; the rest is one series."""


@dataclass(slots=True)
class Part:
    """An amount of a month and of the same days of the month before. None: a rate is missing."""

    spent: Decimal | None = Decimal(0)
    whole: Decimal | None = Decimal(0)  # without the day that is not over: what is compared with `before`
    before: Decimal | None = Decimal(0)

    def add(self, name: str, value: Decimal | None) -> None:
        known: Decimal | None = getattr(self, name)
        with localcontext(EXACT):
            setattr(self, name, None if known is None or value is None else known + value)

    @property
    def change(self) -> float | None:
        if self.whole is None or not self.before:
            return None
        return float((self.whole - self.before) / self.before)


@dataclass(slots=True)
class Overview:
    """One month in one currency, up to `until` (today, or the month's last day)."""

    month: date
    until: date
    current: bool
    currency: str
    total: Part = field(default_factory=Part)
    groups: dict[str, dict[str, Part]] = field(default_factory=dict)
    days: dict[date, Decimal] = field(default_factory=dict)
    names: dict[str, dict[date, Decimal]] = field(default_factory=dict)
    before_days: dict[date, Decimal] = field(default_factory=dict)
    forecast: Forecast | None = None
    past: list[Backtest] = field(default_factory=list)
    budgets: list[BudgetStanding] = field(default_factory=list)
    unpriced: int = 0
    sample: bool = False
    as_of: datetime | None = None

    @property
    def last_whole(self) -> date:
        """The last day that is over."""
        return self.until - DAY if self.current else self.until

    @property
    def budget(self) -> BudgetStanding | None:
        """The budget for everything, of estimates in the shown currency."""
        wanted = (Scope.ALL, Basis.ESTIMATED, self.currency)
        return next(
            (one for one in self.budgets if (one.budget.scope, one.budget.basis, one.budget.currency) == wanted), None
        )


def overview(month: date, today: date, currency: str) -> Overview:
    """Five queries, and one for each scope and currency that a budget is for, however many functions there are."""
    current = month == month_of(today)
    until = today if current else month_end(month)
    shown = Overview(month, until, current, currency)
    spending = Spending(until, first=None if current else month_before(month))
    days = spending.days(Scope.ALL, "", currency)
    if days is not None:
        shown.days = {day: days[day] for day in sorted(days) if day >= month}
        shown.before_days = {day: value for day, value in days.items() if month_before(month) <= day < month}
    if current and days is not None:
        shown.forecast, shown.past = forecast(days, today), backtests(days, today)
    _add_groups(shown)
    _add_names(shown)
    shown.budgets = standings(Budget.objects.filter(active=True), until, spending, over=not current)
    facts = CostDay.objects.filter(day__range=(month, until))
    found = facts.aggregate(last=Max("as_of"), without=Sum("unpriced"), made_up=BoolOr("sample"))
    shown.as_of, shown.unpriced, shown.sample = found["last"], found["without"] or 0, bool(found["made_up"])
    return shown


def _add_groups(shown: Overview) -> None:
    """Total and parts by capability, owner and account: this month, its whole days, the same days a month before."""
    before = month_before(shown.month)
    last_before = same_day_before(shown.last_whole) if shown.current else month_end(before)
    spans = {
        "spent": Q(day__gte=shown.month), "whole": Q(day__range=(shown.month, shown.last_whole)),
        "before": Q(day__range=(before, last_before)) if shown.last_whole >= shown.month else Q(pk=None),
    }  # fmt: skip
    name = "eur" if shown.currency == Currency.EUR else "usd"
    sums = {f"{span}_sum": Sum(name, filter=days) for span, days in spans.items()}
    unknown = {f"{span}_unknown": Count("pk", filter=days & Q(**{name: None})) for span, days in spans.items()}
    rows = (
        CostDay.objects.filter(day__range=(before, shown.until))
        .order_by()
        .values("account", "owner", "capability", "line")
    )
    groups: dict[str, defaultdict[str, Part]] = {group: defaultdict(Part) for group in GROUPS}
    found: Iterable[Mapping[str, Any]] = rows.annotate(**sums, **unknown)
    for row in found:
        for part in (shown.total, *(groups[group][_key(row, group)] for group in GROUPS)):
            for span in spans:
                part.add(span, None if row[f"{span}_unknown"] else row[f"{span}_sum"] or Decimal(0))
    shown.groups = {group: dict(parts) for group, parts in groups.items()}


def _add_names(shown: Overview) -> None:
    """What each capability cost on each day of the month; days without a rate are left out."""
    name = "eur" if shown.currency == Currency.EUR else "usd"
    rows = CostDay.objects.filter(day__range=(shown.month, shown.until)).order_by().values("day", "capability", "line")
    for row in rows.annotate(total=Sum(name)):
        if row["total"] is not None:
            shown.names.setdefault(_key(row, "capability"), {})[row["day"]] = row["total"]


def _key(row: Mapping[str, Any], name: str) -> str:
    """Lines of an account belong to no owner and no capability; they stand beside them by their own name."""
    return f"line:{row['line']}" if row["line"] and name != "account" else str(row[name])


def day_figure(shown: Overview) -> charts.Figure | None:
    """Each day of the month by capability: the largest ones and the rest."""
    days = sorted(shown.days)
    if not days:
        return None
    ranked = sorted(shown.names, key=lambda name: -sum(shown.names[name].values()))
    series: dict[str, list[float | None]] = {}
    for name in ranked[:MOST_NAMES]:
        series[name or str(_("(none)"))] = [_drawn(shown.names[name].get(day)) for day in days]
    if ranked[MOST_NAMES:]:
        rest = ranked[MOST_NAMES:]
        series["other"] = [
            _drawn(sum((shown.names[name].get(day, Decimal(0)) for name in rest), Decimal(0))) for day in days
        ]
    return charts.bars(days, series, y_title=shown.currency)


def course_figure(shown: Overview) -> charts.Figure | None:
    """The month added up day by day, the month before on the same days, and where it will end."""
    last = month_end(shown.month)
    axis = [shown.month + DAY * step for step in range(last.day)]
    series: dict[str, list[float | None]] = {
        str(_("this month")): _course(axis, lambda day: shown.days.get(day, Decimal(0)), shown.until),
        str(_("month before")): _course(axis, lambda day: _day_before(shown, day), last),
    }
    if shown.forecast is not None:
        series[str(_("forecast"))] = _line_to(axis, shown.until, shown.forecast.spent, shown.forecast.total)
        if shown.forecast.high is not None and shown.forecast.low is not None:
            for name, bound in ((_("at least"), shown.forecast.low), (_("at most"), shown.forecast.high)):
                series[str(name)] = _line_to(axis, shown.until, shown.forecast.spent, bound)
    if not any(value for values in series.values() for value in values):
        return None
    figure = _dashed(charts.lines(_written(axis), series, y_title=shown.currency))
    budget = shown.budget
    return charts.with_limit(figure, float(budget.budget.amount), str(_("budget"))) if budget else figure


def _dashed(figure: charts.Figure) -> charts.Figure:
    """What is not yet so is dashed; bounds and the month before stand back."""
    for place, trace in enumerate(figure["data"]):
        trace["line"] |= {"color": COURSE[place], "dash": DASHES[place]}
    return figure


def _day_before(shown: Overview, day: date) -> Decimal | None:
    """What the same day of the month before cost; nothing where that month was shorter."""
    same = month_before(shown.month) + (day - shown.month)
    return shown.before_days.get(same, Decimal(0)) if same < shown.month else Decimal(0)


def _course(axis: list[date], cost: Callable[[date], Decimal | None], until: date) -> list[float | None]:
    total, values = Decimal(0), []
    for day in axis:
        total += cost(day) or Decimal(0)
        values.append(_drawn(total) if day <= until else None)
    return values


def _line_to(axis: list[date], start: date, low: Decimal, high: Decimal) -> list[float | None]:
    """A straight line from what is spent to the end of the month."""
    steps = max((axis[-1] - start).days, 1)
    return [
        _drawn(low + (high - low) * (day - start).days / steps) if day >= start else None for day in axis
    ]  # fmt: skip


def _written(axis: list[date]) -> list[str]:
    return [day.isoformat() for day in axis]


def _drawn(value: Decimal | None) -> float | None:
    """Five significant digits are enough for a drawing."""
    return None if value is None else float(f"{value:.5g}")


@dataclass(frozen=True, slots=True)
class FunctionLine:
    """A function in a month, in the shown currency."""

    pk: int
    name: str
    owner: str
    capability: str
    spent: Decimal | None
    change: float | None
    invocations: int
    sample: bool


def dearest(
    month: date, currency: str, chosen: Mapping[str, str] | None = None, *, limit: int | None = None
) -> list[FunctionLine]:
    """The functions of a month by their cost. `chosen`: fields of the function (owner, capability, account)."""
    rows = CostFunctionMonth.objects.filter(
        month=month, **{f"function__{name}": value for name, value in (chosen or {}).items()}
    )
    rows = rows.exclude(usd=0, before_usd=0, unpriced=0).order_by("-usd", "function_id")
    columns = ("function_id", "function__name", "function__owner", "function__capability", "usd", "eur", "whole_usd",
               "before_usd", "invocations", "sample")  # fmt: skip
    return [_line(values, currency) for values in rows.values_list(*columns)[:limit]]


def _line(values: tuple, currency: str) -> FunctionLine:  # type: ignore[type-arg]  # a row of the database
    pk, name, owner, capability, usd, eur, whole, before, invocations, sample = values
    change = float((whole - before) / before) if before else None
    return FunctionLine(pk, name, owner, capability, eur if currency == "EUR" else usd, change, invocations, sample)


def budget_figure(days: dict[date, Decimal], budget: Budget, today: date) -> charts.Figure | None:
    """One budget's month added up day by day, its forecast and its limit."""
    month = month_of(today)
    axis = [month + DAY * step for step in range(month_end(month).day)]
    ahead = forecast(days, today)
    series = {str(_("spent")): _course(axis, lambda day: days.get(day, Decimal(0)), today)}
    if ahead is not None:
        series[str(_("forecast"))] = _line_to(axis, today, ahead.spent, ahead.total)
    if not days:
        return None
    return charts.with_limit(
        charts.lines(_written(axis), series, y_title=budget.currency), float(budget.amount), str(_("budget"))
    )
