"""Reckon months anew and keep them; tell when the unexplained rest grows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max, Min, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.audit import record
from core.money import format_money
from core.notices import tell
from core.notices.choices import Severity
from costs.ec2_other.mapping import SERVICES
from costs.ec2_other.reading import counted_costs, last_day, month_after, month_before, months_with_bills
from costs.estimate import PriceBook, exact_sum, in_currency
from costs.imports.shapes import plain
from costs.models import BilledPeriod, Reconciliation
from costs.reconciliation.estimated import Estimates, estimates_of
from costs.reconciliation.pieces import Charge
from costs.reconciliation.reckon import Reckoned, reckon
from costs.told import REST, administrators
from services_registry.models import Function

FRESH = timedelta(hours=20)
LATE_MONTHS = 2  # months that late reports still change
TOLD_MONTHS = 2  # before this one; of older months that come in at last nobody is told
# The rest is told of when it is this share of what was billed, this amount, and so many times the month before's.
GROWN_SHARE, GROWN_AMOUNT, GROWN_TIMES = Decimal("0.05"), Decimal(5), Decimal("1.5")
_LAMBDA = SERVICES["AWSLambda"]
_BY = (
    "day", "until", "resource", "usage_type", "region", "account", "capability", "charge_category", "line_type",
    "currency", "estimated",
)  # fmt: skip


def charges_of(month: date) -> dict[str, list[Charge]]:
    """Lambda's charges of a month by currency."""
    rows = (
        counted_costs(month, month_after(month)).filter(service__in=_LAMBDA).order_by().values(*_BY)
        .annotate(q=Sum("quantity"), b=Sum("billed_cost"), e=Sum("effective_cost"), l=Sum("list_cost"),
                  c=Sum("contracted_cost"), n=Sum("lines"))
    )  # fmt: skip
    found: defaultdict[str, list[Charge]] = defaultdict(list)
    for row in rows.iterator(chunk_size=5000):
        found[row["currency"]].append(Charge(
            row["day"], row["until"], row["resource"], row["usage_type"], row["region"], row["account"],
            row["capability"], row["charge_category"], row["line_type"], row["currency"], row["q"], row["b"], row["e"],
            row["l"], row["c"], row["n"], row["estimated"],
        ))  # fmt: skip
    return dict(found)


def reconcile(month: date, *, actor: Any = None) -> int:
    """Reckon one month anew; returns the number of rows. A month without a bill has none."""
    by_currency = charges_of(month)
    rows: list[Reconciliation] = []
    if by_currency:
        functions = Function.objects.defer("raw", "layers", "environment_names").in_bulk()
        estimates, book = estimates_of(month, functions), PriceBook()
        for currency, charges in by_currency.items():
            rate = in_currency(Decimal(1), currency, last_day(month))
            if rate is not None:
                found = reckon(charges, estimates, book, rate)
                rows += [_kept(month, currency, row, estimates) for row in found]
    with transaction.atomic():
        Reconciliation.objects.filter(month=month).delete()
        Reconciliation.objects.bulk_create(rows, batch_size=1000)
        if actor is not None:
            record(actor=actor, verb="costs.reconciled", target=f"{month:%Y-%m}", source="page")
        for currency in by_currency if month >= month_before(_this_month(), TOLD_MONTHS) else ():
            _tell_if_grown(month, currency)
    return len(rows)


def _kept(month: date, currency: str, row: Reckoned, estimates: Estimates) -> Reconciliation:
    return Reconciliation(
        month=month, function=row.function, name=row.name, currency=currency, estimated=row.estimated,
        billed=row.billed, effective=row.effective, rest=row.rest, allocated=row.allocated,
        reasons={reason.value: plain(amount) for reason, amount in row.reasons.items() if amount},
        days=len(row.seen), days_billed=len(row.charged), days_silent=len(row.charged - row.seen),
        estimated_bill=row.provisional, sample=row.function is not None and row.function.pk in estimates.sample,
    )  # fmt: skip


def refresh() -> int:
    """Months whose bill changed since, and once a day the latest ones; returns how many months were reckoned."""
    now = timezone.now()
    kept = dict(Reconciliation.objects.order_by().values_list("month").annotate(at=Min("counted")))
    changed = dict(
        BilledPeriod.objects.filter(counted=True).order_by().values_list("month").annotate(at=Max("changed"))
    )
    latest = month_before(_this_month(), LATE_MONTHS - 1)
    done = 0
    for month in months_with_bills():
        known = kept.get(month)
        stale = known is None or changed[month] > known or (month >= latest and now - known > FRESH)
        if stale and (known is not None or _has_lambda(month)):
            reconcile(month)
            done += 1
    return done


def _this_month() -> date:
    return timezone.now().astimezone(UTC).date().replace(day=1)


def _has_lambda(month: date) -> bool:
    return counted_costs(month, month_after(month)).filter(service__in=_LAMBDA).exists()


def rest_of(rows: Iterable[Reconciliation]) -> Decimal:
    """How much is unexplained: amounts without their sign, so that too much and too little do not hide each other."""
    return exact_sum(abs(row.rest) for row in rows)


def has_grown(rest: Decimal, billed: Decimal, before: Decimal | None) -> bool:
    """Whether the rest of a month is worth telling. `before`: the month before's, None where it was not reckoned."""
    large = rest >= GROWN_AMOUNT and rest >= abs(billed) * GROWN_SHARE
    return large and before is not None and rest > before * GROWN_TIMES


def _tell_if_grown(month: date, currency: str) -> None:
    rows = list(Reconciliation.objects.filter(month=month, currency=currency))
    past = list(Reconciliation.objects.filter(month=month_before(month), currency=currency))
    rest, billed = rest_of(rows), exact_sum(row.billed for row in rows)
    if not has_grown(rest, billed, rest_of(past) if past else None):
        return
    largest = sorted(rows, key=lambda row: -abs(row.rest))[:3]
    named = ", ".join(f"{row.name or _('no function')} {format_money(row.rest, currency)}" for row in largest)
    words = {"rest": format_money(rest, currency), "month": f"{month:%Y-%m}", "billed": format_money(billed, currency)}
    tell(
        administrators(), topic=REST, severity=Severity.WARNING,
        subject=_("%(rest)s of Lambda's %(billed)s in %(month)s is not explained") % words,
        text=_("Most of it: %s.") % named, url=f"{reverse('reconciliation')}?month={month:%Y-%m}&currency={currency}",
        key=f"reconciliation:{month:%Y-%m}:{currency}",
    )  # fmt: skip
