"""What an import changed against what was known of the same periods, exact and in words a person can check."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from django.db.models import QuerySet, Sum

from costs.estimate import EXACT
from costs.imports.scopes import Scope, Scoping
from costs.imports.shapes import Bill, plain
from costs.models import BilledCost

MOST_SERVICES = 12
Sums = dict[str, dict[str, Decimal]]  # {currency: {service: BilledCost}}


@dataclass(slots=True)
class Change:
    """BilledCost of one period in one currency before and after."""

    provider: str
    billing_account: str
    account: str
    month: date
    currency: str
    before: Decimal | None  # None: the period was not known
    after: Decimal
    services: list[tuple[str, Decimal, Decimal]] = field(default_factory=list)  # the most changed: name, before, after

    def as_json(self) -> dict[str, Any]:
        with localcontext(EXACT):
            difference = self.after - (self.before or 0)
        return {
            "provider": self.provider, "billing_account": self.billing_account, "account": self.account,
            "month": f"{self.month:%Y-%m}", "currency": self.currency,
            "before": None if self.before is None else plain(self.before), "after": plain(self.after),
            "difference": plain(difference),
            "services": [
                {"name": name, "before": plain(before), "after": plain(after)} for name, before, after in self.services
            ],
        }  # fmt: skip


def sums_before(costs: QuerySet[BilledCost]) -> Sums:
    """BilledCost by currency and service of what is about to be replaced."""
    found: Sums = defaultdict(dict)
    for row in costs.order_by().values("currency", "service").annotate(sum=Sum("billed_cost")):
        found[row["currency"]][row["service"]] = row["sum"]
    return found


def what_changed(bill: Bill, scoping: Scoping, before: Mapping[Scope, Sums]) -> list[Change]:
    """One change for every scope and currency, before against after."""
    after: defaultdict[Scope, Sums] = defaultdict(lambda: defaultdict(dict))
    with localcontext(EXACT):
        for key, sums, _lines in bill:
            services = after[scoping.of(key)][key.currency]
            services[key.service] = services.get(key.service, Decimal(0)) + (sums[1] or 0)
    changes = []
    for scope, known in before.items():
        for currency in sorted(set(known) | set(after[scope])):
            changes.append(_change(scope, currency, known.get(currency), after[scope].get(currency, {})))
    return changes


def _change(scope: Scope, currency: str, before: dict[str, Decimal] | None, after: dict[str, Decimal]) -> Change:
    with localcontext(EXACT):
        moved = [
            (name, (before or {}).get(name, Decimal(0)), after.get(name, Decimal(0)))
            for name in sorted(set(before or {}) | set(after))
        ]
        moved = [line for line in moved if line[1] != line[2]]
        moved.sort(key=lambda line: -abs(line[2] - line[1]))
        total_before = None if before is None else sum(before.values(), Decimal(0))
        total_after = sum(after.values(), Decimal(0))
    return Change(
        scope.provider, scope.billing_account, scope.account, scope.month, currency, total_before, total_after,
        moved[:MOST_SERVICES] if before is not None else [],
    )  # fmt: skip
