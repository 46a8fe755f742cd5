"""What the address of a cost page says: the month and the currency. Whatever makes no sense becomes the usual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.http import HttpRequest

from costs.budgets.choices import Currency
from costs.sums import KEPT_MONTHS, month_before, month_of, utc_today


@dataclass(frozen=True, slots=True)
class Asked:
    month: date
    today: date
    currency: str

    @property
    def query(self) -> str:
        """What keeps both in a link."""
        said = {} if self.month == month_of(self.today) else {"month": f"{self.month:%Y-%m}"}
        return urlencode(said | ({} if self.currency == Currency.USD else {"currency": self.currency}))

    @property
    def months(self) -> list[date]:
        """Those that can be chosen, the latest first."""
        months = [month_of(self.today)]
        while len(months) < KEPT_MONTHS:
            months.append(month_before(months[-1]))
        return months


def asked(request: HttpRequest) -> Asked:
    today = utc_today()
    currency = request.GET.get("currency", "")
    return Asked(
        month_in(request.GET.get("month", ""), today), today, currency if currency in Currency.values else Currency.USD
    )


def month_in(text: str, today: date) -> date:
    """`2026-10`; months to come, and what is no month, are the current one."""
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        return month_of(today)
    return min(month, month_of(today))


def day_in(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
