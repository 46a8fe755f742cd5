"""What a month will come to, with an interval that rests on how wrong this method was before.

A coming day costs the level of the last 28 whole days times the factor of its weekday (its share of the last 8 weeks).
A day over three times its weekday's median counts as three times, so that one runaway day is not taken for the new level.

The interval comes from the past: the same forecast is made as of each of the last 56 days, for as many days ahead as there
are left now, and held against what came. The interval reaches as far as those were off, so that eight of ten months should
end within it. With fewer than 14 such tries no interval is stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from math import inf
from statistics import median

from costs.estimate import EXACT, exact_sum

LEVEL_DAYS, FACTOR_DAYS, TRIES = 28, 56, 56
FEWEST_DAYS, FEWEST_TRIES = 7, 14
MOST_TIMES = 3
OUTSIDE = 0.1
"""Of what comes, on either side of the interval."""
DAY = timedelta(days=1)
Days = Mapping[date, Decimal]
Floats = Mapping[date, float]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of one month: what is spent, what it will come to, and between which bounds (None: too short a past).

    `tries` is how many earlier forecasts the bounds rest on, `error` the median of their errors without sign (0.05: 5 %).
    """

    spent: Decimal
    total: Decimal
    low: Decimal | None
    high: Decimal | None
    tries: int
    error: float | None
    days_left: int

    @property
    def certain(self) -> bool:
        return self.days_left == 0


@dataclass(frozen=True, slots=True)
class Backtest:
    """What the forecast of a past month would have been on the same day of the month, and what came."""

    month: date
    forecast: Decimal
    actual: Decimal

    @property
    def error(self) -> float | None:
        return float((self.forecast - self.actual) / self.actual) if self.actual else None


def month_end(month: date) -> date:
    """The last day of the month that begins on `month`."""
    return (month + timedelta(days=31)).replace(day=1) - DAY


def forecast(days: Days, today: date) -> Forecast | None:
    """The month of `today`, which is not over. None without a week of whole days to go by."""
    first, last = today.replace(day=1), month_end(today.replace(day=1))
    spent = exact_sum(days.get(first + DAY * step) for step in range((today - first).days + 1))
    begin, plain = min(days, default=today), {day: float(usd) for day, usd in days.items()}
    rate = _Rate.of(plain, begin, today)
    if rate is None:
        return None
    left = (last - today).days + 1
    rest = max(rate.sum(today, 1) - plain.get(today, 0.0), 0.0) + rate.sum(today + DAY, left - 1)
    ratios = _ratios(plain, begin, today, left)
    error = median(abs(ratio - 1) for ratio in ratios) if ratios else None
    low = high = None
    if len(ratios) >= FEWEST_TRIES:
        share = _outer_share(len(ratios) / left)
        low = _plus(spent, rest * min(quantile(ratios, share), 1.0))
        high = _plus(spent, rest * max(quantile(ratios, 1 - share), 1.0))
    return Forecast(spent, _plus(spent, rest), low, high, len(ratios), error, left)


def backtests(days: Days, today: date, months: int = 6) -> list[Backtest]:
    """The latest past months first, as far as there is enough of a past before them."""
    found, month = [], today.replace(day=1)
    for _step in range(months):
        month = (month - DAY).replace(day=1)
        last = month_end(month)
        then = min(month + (today - today.replace(day=1)), last)
        known = {day: usd for day, usd in days.items() if day < then}
        if known and min(known) < month and (result := forecast(known, then)) is not None:
            actual = exact_sum(days.get(month + DAY * step) for step in range(last.day))
            found.append(Backtest(month, result.total, actual))
    return found


@dataclass(frozen=True, slots=True)
class _Rate:
    """A level a day and the factor of each weekday. Plain floats: it is a guess, not money that was spent."""

    level: float
    factors: tuple[float, ...]

    @classmethod
    def of(cls, days: Floats, begin: date, before: date) -> _Rate | None:
        """By the whole days before a day; days without a cost since `begin` count as nothing spent."""
        past = [before - DAY * back for back in range(1, min(FACTOR_DAYS, (before - begin).days) + 1)]
        if len(past) < FEWEST_DAYS:
            return None
        by_weekday: list[list[float]] = [[] for _ in range(7)]
        for day in past:
            by_weekday[day.weekday()].append(days.get(day, 0.0))
        most = [median(values) * MOST_TIMES or inf for values in by_weekday]
        recent = past[: min(LEVEL_DAYS, len(past) // 7 * 7)]
        level = sum(min(days.get(day, 0.0), most[day.weekday()]) for day in recent) / len(recent)
        means = [
            sum(min(value, limit) for value in values) / len(values)
            for values, limit in zip(by_weekday, most, strict=True)
        ]
        mean = sum(means) / 7
        return cls(level, tuple(one / mean if mean else 1.0 for one in means))

    def sum(self, first: date, days: int) -> float:
        weekday = first.weekday()
        return self.level * sum(self.factors[(weekday + step) % 7] for step in range(days))


def _ratios(days: Floats, begin: date, today: date, ahead: int) -> list[float]:
    """What came, by what was forecast, for as many days ahead, as of each of the last days for which both are known."""
    found = []
    for back in range(TRIES):
        origin = today - DAY * (ahead + back)
        if (origin - begin).days < LEVEL_DAYS:
            break
        rate = _Rate.of(days, begin, origin)
        if rate is not None and (expected := rate.sum(origin, ahead)):
            found.append(sum(days.get(origin + DAY * step, 0.0) for step in range(ahead)) / expected)
    return found


def _outer_share(independent: float) -> float:
    """How many of the earlier ratios may lie below the lower bound, so that one more lies below it one time in ten.

    Tries of a week that begin a day apart share six days: of 56 only 8 say something of their own. The fewer, the nearer
    the bounds are to the outermost ratios (the rank 0.1 x (n + 1) of conformal prediction).
    """
    return min(max((OUTSIDE * (independent + 1) - 1) / (independent - 1), 0.0), OUTSIDE) if independent > 1 else 0.0


def quantile(values: list[float], share: float) -> float:
    """By straight lines between the sorted values."""
    ranked = sorted(values)
    place = share * (len(ranked) - 1)
    below = int(place)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (ranked[above] - ranked[below]) * (place - below)


def _plus(spent: Decimal, guess: float) -> Decimal:
    """A guess needs no more than six decimals; what was spent keeps all of its own."""
    with localcontext(EXACT):
        return spent + Decimal(repr(round(guess, 6)))
