"""Estimated against billed by function and month: known reasons apart from the rest, exact in every row."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from core.models import Notification
from costs.ec2_other.reading import month_before
from costs.estimate import PriceBook
from costs.models import Reconciliation
from costs.reconciliation.choices import Reason
from costs.reconciliation.estimated import Estimates
from costs.reconciliation.pieces import Charge
from costs.reconciliation.reckon import reckon
from costs.reconciliation.refresh import has_grown, reconcile, refresh
from services_registry.models import Function, FunctionDay
from tests.costs.focus_bill import LAMBDA, OCTOBER, line, take

pytestmark = pytest.mark.usefixtures("prices")
Make = Callable[..., Function]
PER_GB_S, PER_REQUEST = Decimal("0.0000166667"), Decimal("0.0000002")
MB_MS = 1_024_000  # one GB-second


def used(function: Function, day: date, gb_s: int, calls: int = 0) -> None:
    FunctionDay.objects.create(function=function, day=day, invocations=calls, billed_mb_ms=MB_MS * gb_s)


def seconds(function: Function, gb_s: str, listed: str | None = None, day: date = OCTOBER, **more: Any) -> Any:
    """A line of GB-seconds, at the list price where no amount is named."""
    cost = listed if listed is not None else f"{Decimal(gb_s) * PER_GB_S:f}"
    given: dict[str, Any] = {
        "service": LAMBDA,
        "resource": function.arn,
        "unit": "Lambda-GB-Second",
        "quantity": Decimal(gb_s),
    }
    return line("EU-Lambda-GB-Second", cost, day=day, **given | more)


def row_of(name: str) -> Reconciliation:
    return Reconciliation.objects.get(name=name)


def reasons(row: Reconciliation) -> dict[str, Decimal]:
    return {reason: Decimal(amount) for reason, amount in row.reasons.items()}


def test_each_known_reason_is_a_number_and_what_is_left_is_the_rest(make_function: Make, tmp_path: Path) -> None:
    names = ("exact", "silent", "plan", "free", "rounded", "dearer", "more", "late", "moved")
    made = {name: make_function(name) for name in names}
    second = OCTOBER + timedelta(days=1)
    for name in names:
        used(made[name], OCTOBER, 1000)
    used(made["late"], OCTOBER + timedelta(days=20), 300)
    k = 1000 * PER_GB_S
    take(tmp_path, [
        seconds(made["exact"], "1000"),
        seconds(made["silent"], "1000"), seconds(made["silent"], "400", day=second),
        seconds(made["plan"], "1000", contracted=k * 9 / 10, billed=Decimal(0), effective=k * 8 / 10),
        seconds(made["free"], "1000", "0"),
        seconds(made["rounded"], "1000", f"{k + Decimal('0.000000004')}"),
        seconds(made["dearer"], "1000", f"{k * 2}"),
        seconds(made["more"], "1100"),
        seconds(made["late"], "1000"),
        seconds(made["moved"], "1000"),
        line("EU-DataTransfer-Out-Bytes", "0.45", service=LAMBDA, resource=made["moved"].arn),
        line("EU-Lambda-GB-Second", "-0.01", service=LAMBDA, resource=made["moved"].arn, category="Credit"),
    ])  # fmt: skip
    assert reconcile(OCTOBER) == len(names)
    assert (row_of("exact").reasons, row_of("exact").rest, row_of("exact").billed) == ({}, 0, k)
    assert reasons(row_of("silent")) == {Reason.MISSING: 400 * PER_GB_S} and row_of("silent").days_silent == 1
    assert reasons(row_of("plan")) == {Reason.DISCOUNT: k * -1 / 10, Reason.PLAN: k * -9 / 10}
    assert reasons(row_of("free")) == {Reason.FREE_TIER: -k}
    assert reasons(row_of("rounded")) == {Reason.ROUNDING: Decimal("0.000000004")}
    assert reasons(row_of("dearer")) == {Reason.PRICE: k}
    assert reasons(row_of("late")) == {Reason.NOT_BILLED: -300 * PER_GB_S}
    assert reasons(row_of("moved")) == {Reason.NOT_ESTIMATED: Decimal("0.45"), Reason.CREDITS: Decimal("-0.01")}
    assert row_of("more").reasons == {} and row_of("more").rest == 100 * PER_GB_S
    assert {row.rest for row in Reconciliation.objects.exclude(name="more")} == {0}


def test_what_names_no_function_is_allocated_and_labelled(make_function: Make, tmp_path: Path) -> None:
    one, two, other = make_function("one"), make_function("two"), make_function("other", account="999999999999")
    for function, gb_s in ((one, 3000), (two, 1000), (other, 9000)):
        used(function, OCTOBER, gb_s)
    second = OCTOBER + timedelta(days=1)
    take(tmp_path, [
        seconds(one, "4400", resource=""), seconds(one, "100", resource="", day=second),
        seconds(one, "70", resource="arn:aws:lambda:eu-west-1:123456789012:function:gone:live"),
    ])  # fmt: skip
    reconcile(OCTOBER)
    assert (row_of("one").billed, row_of("two").billed) == (3300 * PER_GB_S, 1100 * PER_GB_S)
    assert row_of("one").allocated == row_of("one").billed and row_of("one").rest == 300 * PER_GB_S
    assert reasons(row_of("")) == {Reason.MISSING: 100 * PER_GB_S}, "a day of which nothing was estimated"
    assert row_of("gone").function is None and row_of("gone").allocated == 0
    assert not Reconciliation.objects.filter(name="other", billed__gt=0).exists(), "another account's bill"


def test_rows_add_up_to_the_bill_whatever_is_in_it() -> None:
    dice, book = random.Random(20_261_124), PriceBook()
    for _ in range(40):
        functions = {
            n: Function(pk=n, name=f"f{n}", arn=f"arn:aws:lambda:eu-west-1:1:function:f{n}", region="eu-west-1",
                        account=dice.choice("12"), architecture=dice.choice(("x86_64", "arm64")), tags={})
            for n in range(1, dice.randrange(2, 8))
        }  # fmt: skip
        days: Any = defaultdict(lambda: defaultdict(Decimal))
        for n in functions:
            for _day in range(dice.randrange(0, 5)):
                days[n][OCTOBER + timedelta(days=dice.randrange(31))] += Decimal(dice.randrange(10**15)).scaleb(-16)
        charges = [_any_charge(dice, len(functions)) for _ in range(dice.randrange(1, 40))]
        rows = reckon(charges, Estimates(functions, days), book, dice.choice((Decimal(1), Decimal("0.873411"))))
        assert sum(Fraction(row.billed) for row in rows) == sum(Fraction(charge.billed) for charge in charges)
        for row in rows:
            parts = [row.estimated, *row.reasons.values(), row.rest]
            assert sum(map(Fraction, parts)) == Fraction(row.billed), row


def _any_charge(dice: random.Random, functions: int) -> Charge:
    def money(missing: float) -> Decimal | None:
        return None if dice.random() < missing else Decimal(dice.randrange(10**14)).scaleb(-dice.randrange(9, 22))

    day = OCTOBER + timedelta(days=dice.randrange(31))
    arn = f"arn:aws:lambda:eu-west-1:1:function:f{dice.randrange(1, functions + 3)}"
    return Charge(
        day, day + timedelta(days=dice.choice((1, 1, 31))), dice.choice((arn, arn, "")),
        dice.choice(("EU-Lambda-GB-Second", "EU-Lambda-GB-Second-ARM", "EU-Request", "EU-DataTransfer-Out-Bytes", "")),
        dice.choice(("eu-west-1", "", "mars")), dice.choice(("1", "2", "")), "",
        dice.choice(("Usage", "Usage", "Usage", "Credit", "Tax", "Purchase", "Adjustment")),
        dice.choice(("", "Usage", "SavingsPlanCoveredUsage", "SavingsPlanNegation")), "USD", money(0.2),
        money(0) or Decimal(0), money(0.3), money(0.3), money(0.5), dice.randrange(1, 50), dice.random() < 0.1,
    )  # fmt: skip


def test_a_month_is_reckoned_again_only_when_its_bill_changed(make_function: Make, tmp_path: Path) -> None:
    function = make_function("f")
    july = date(2026, 7, 1)
    take(tmp_path, [seconds(function, "10", day=july)])
    assert (refresh(), refresh()) == (1, 0)
    assert reasons(row_of("f")) == {Reason.MISSING: 10 * PER_GB_S}
    take(tmp_path, [seconds(function, "30", day=july)], "again.csv")
    call_command("reconcile_costs", stdout=(tmp_path / "said").open("w"))
    assert row_of("f").billed == 30 * PER_GB_S
    call_command("reconcile_costs", "--month", "2026-06", stdout=(tmp_path / "said").open("w"))
    assert Reconciliation.objects.count() == 1


def test_administrators_hear_once_when_the_rest_grows(make_function: Make, tmp_path: Path, admin_user: Any) -> None:
    past = month_before(timezone.now().date().replace(day=1))
    before, long_ago = month_before(past), month_before(past, 9)
    function = make_function("f")
    for day in (long_ago, before, past):
        used(function, day, 10**6)
    take(tmp_path, [
        seconds(function, "1000000", day=month_before(long_ago)), seconds(function, "9000000", day=long_ago),
        seconds(function, "1000010", day=before), seconds(function, "3000000", day=past),
    ])  # fmt: skip
    for month in (month_before(long_ago), long_ago, before, past, past):
        reconcile(month)
    told = Notification.objects.get(user=admin_user)
    assert "is not explained" in told.text and f"/costs/reconciliation/?month={past:%Y-%m}" in told.url
    assert not has_grown(Decimal(100), Decimal(200), None), "nothing to compare with"
    assert not has_grown(Decimal(4), Decimal(5), Decimal(0)) and not has_grown(Decimal(6), Decimal(500), Decimal(0))
