"""Which periods a bill tells of: what is replaced when it comes in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from costs.imports.shapes import Bill, Key


@dataclass(frozen=True, slots=True)
class Scope:
    """One account's billing month. `account` is set when the bill is of that member account alone."""

    provider: str
    billing_account: str
    account: str
    month: date


class Scoping:
    """The scopes of one bill."""

    def __init__(self, bill: Bill) -> None:
        self._bill = bill
        self._members = _members(bill)

    def of(self, key: Key) -> Scope:
        alone = (key.provider, key.billing_account) in self._members
        return Scope(key.provider, key.billing_account, key.account if alone else "", key.month)

    def all(self) -> list[Scope]:
        """In order of time. An answer of Cost Explorer tells of every day that was asked for, also of empty ones."""
        found = {self.of(key) for key in self._bill.lines}
        if self._bill.by_day and self._bill.asked:
            accounts = {(key.provider, key.billing_account) for key in self._bill.lines}
            found |= {Scope(*pair, "", month) for month in _months(*self._bill.asked) for pair in accounts}
        return sorted(found, key=lambda scope: (scope.month, scope.provider, scope.billing_account, scope.account))


def _members(bill: Bill) -> set[tuple[str, str]]:
    """AWS payers of whom this file tells one member account only: that account's own report, not the whole bill."""
    accounts: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for key in bill.lines:
        accounts[key.provider, key.billing_account].add(key.account)
    return {
        pair for pair, known in accounts.items()
        if pair[0] == "AWS" and len(known) == 1 and known.isdisjoint({pair[1], ""}) and not bill.by_day
    }  # fmt: skip


def _months(first: date, end: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month < end:
        yield month
        month = (month + timedelta(days=32)).replace(day=1)
